-- block_lines: who started any block, and of whom at least one is documented.
-- grain: one row per cohort x kind of line
-- params: population
with

by_line as (
    select
        cohort_code,
        entry_reason,
        bool_or(is_documented) as is_documented
    from fct_block as counted
    where {population}
    group by cohort_code, entry_reason, enrollment_key, line_number
)

select
    cohort_code,
    entry_reason,
    count(*) as n_started,
    count(*) filter (where is_documented) as n_documented
from by_line
group by all
order by all
