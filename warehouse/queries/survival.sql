-- survival: how many enrollments end their endpoint on each day, by state.
-- grain: one row per cohort x day x state
-- params: population, endpoint_code
select
    enrollment.cohort_code,
    outcome.time_days,
    outcome.state,
    count(*) as n
from dim_enrollment as enrollment
inner join fct_time_to_event as outcome using (enrollment_key)
where
    outcome.endpoint_code = $endpoint_code
    and {population}
group by all
order by all
