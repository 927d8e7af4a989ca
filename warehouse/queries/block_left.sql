-- block_left: of each block who started it, and what came instead for the others.
-- grain: one row per cohort x kind of line x block x class
-- params: population
select
    cohort_code,
    entry_reason,
    block_code,
    class_code,
    count(*) as n
from fct_block_left as counted
where {population}
group by all
order by all
