-- flow_milestone: the lines in which it happened, or of which a quarantined row might tell.
-- grain: one row per line with the milestone from its start to the day before the next line, or in
-- doubt
-- params: code
select
    line.enrollment_key,
    line.line_number,
    if(count(milestone.day) > 0, 'happened', 'in_doubt') as stage
from (
    select
        enrollment_key,
        line_number,
        start_day,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
) as line
left join fct_milestone as milestone
    on
        milestone.enrollment_key = line.enrollment_key
        and milestone.milestone_code = $code
        and milestone.day >= line.start_day
        and (line.next_start is null or milestone.day < line.next_start)
left join (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code = $code
) as doubt
    on doubt.enrollment_key = line.enrollment_key
where milestone.day is not null or doubt.enrollment_key is not null
group by line.enrollment_key, line.line_number
