-- reason: which milestone ended the endpoint, by state.
-- grain: one row per cohort x kind of line x state x reason
-- params: population, endpoint_code
select
    enrollment.cohort_code,
    line.entry_reason,
    outcome.state,
    outcome.reason,
    count(*) as n
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
inner join fct_time_to_event as outcome using (enrollment_key, line_number)
where
    outcome.endpoint_code = $endpoint_code
    and {population}
group by all
order by all
