-- toxicity: documented patients with a worst grade of at least `grade`, by block and item.
-- grain: one row per cohort x kind of line x block x item
-- params: population, grade
-- n is certain; n_possible adds those whose grade is a range that reaches `grade`.
select
    cohort_code,
    entry_reason,
    block_code,
    item_code,
    cast(sum(if(grade_low >= $grade, n, 0)) as bigint) as n,
    cast(sum(n) as bigint) as n_possible
from fct_block_grade as counted
where
    grade_high >= $grade
    and {population}
group by all
order by all
