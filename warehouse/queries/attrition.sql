-- attrition: who is in the cohort, in the population, and in the figure of an endpoint.
-- grain: one row per cohort that has enrollments
-- params: population, endpoint_code, origin_code
select
    enrollment.cohort_code,
    count(*) as n_enrolled,
    count(*) filter (where {population}) as n_population,
    count(*) filter (
        where {population} and $origin_code <> 'enrollment' and started.day is null
    ) as n_without_origin,
    count(outcome.time_days) filter (where {population}) as n_in_figure
from dim_enrollment as enrollment
left join fct_time_to_event as outcome
    on
        outcome.enrollment_key = enrollment.enrollment_key
        and outcome.endpoint_code = $endpoint_code
left join fct_milestone as started
    on
        started.enrollment_key = enrollment.enrollment_key
        and started.milestone_code = $origin_code
        and started.instance = 1
group by all
order by all
