-- block_events: events of at least `grade` in a block, by how many a documented line had.
-- grain: one row per cohort x kind of line x item x events x courses
-- params: population, block, grade
select
    cohort_code,
    entry_reason,
    item_code,
    n_events,
    n_courses,
    cast(sum(n) as bigint) as n
from fct_block_events as counted
where
    block_code = $block
    and grade_min = $grade
    and {population}
group by all
order by all
