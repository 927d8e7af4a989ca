-- flow_milestone: the lines in which it happened.
-- grain: one row per line with the milestone from its start to the day before the next line
-- params: code
select distinct
    line.enrollment_key,
    line.line_number,
    'happened' as stage
from (
    select
        enrollment_key,
        line_number,
        start_day,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
) as line
inner join fct_milestone as milestone
    on
        milestone.enrollment_key = line.enrollment_key
        and milestone.milestone_code = $code
        and milestone.day >= line.start_day
        and (line.next_start is null or milestone.day < line.next_start)
