-- patient: every line of the population, from its start to the last day it was seen. For clinicians.
-- grain: one row per line
-- params: population, contact_code, death_code
select
    counted.enrollment_key,
    counted.line_number,
    counted.cohort_code,
    counted.entry_reason,
    counted.start_day,
    line.next_start,
    min(happened.day) filter (where happened.milestone_code = $death_code) as death_day,
    max(happened.day) filter (where happened.milestone_code = $contact_code) as contact_day
from dim_population as counted
inner join (
    select
        enrollment_key,
        line_number,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
) as line
    on
        line.enrollment_key = counted.enrollment_key
        and line.line_number = counted.line_number
left join fct_milestone as happened on happened.enrollment_key = counted.enrollment_key
where {population}
group by all
order by all
