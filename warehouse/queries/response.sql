-- response: how the lines of the population stand at the landmark.
-- grain: one row per cohort x kind of line x response x late or not; null where it is in doubt
-- params: population
select
    enrollment.cohort_code,
    line.entry_reason,
    response.response_code,
    coalesce(response.is_late, false) as is_late,
    count(*) as n
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
left join fct_response as response using (enrollment_key, line_number)
where {population}
group by all
order by all
