-- group_lines: who had a course of any group of blocks, and of whom one group is documented.
-- grain: one row per cohort x kind of line
-- params: population
with

line as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        counted.line_number,
        member.group_code,
        bool_and(counted.is_documented) as is_documented
    from fct_block as counted
    inner join dim_block_group as member using (block_code)
    where {population}
    group by all
),

by_line as (
    select
        cohort_code,
        entry_reason,
        bool_or(is_documented) as is_documented
    from line
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
