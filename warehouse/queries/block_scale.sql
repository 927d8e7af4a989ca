-- block_scale: by which scales the events of each term were graded in each block.
-- grain: one row per cohort x kind of line x block x term x scale
-- params: population
select
    cohort_code,
    entry_reason,
    block_code,
    term_code,
    scale_code,
    cast(sum(n) as bigint) as n
from fct_block_scale as counted
where {population}
group by all
order by all
