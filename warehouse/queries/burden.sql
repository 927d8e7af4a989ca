-- burden: grade-days of documented lines in each block.
-- grain: one row per cohort x kind of line x block x grade-days x events without end; n lines
-- params: population, item
select
    cohort_code,
    entry_reason,
    block_code,
    grade_days,
    n_open,
    n_late,
    cast(sum(n) as bigint) as n
from fct_block_burden as counted
where
    item_code = $item
    and {population}
group by all
order by all
