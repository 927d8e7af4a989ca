-- attrition: who is in the cohort, in the population, and in the figure of an endpoint.
-- grain: one row per cohort that has enrollments
-- params: population, origin_code, needed (milestones the endpoint needs)
with

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where list_contains($needed, milestone_code)
)

select
    enrollment.cohort_code,
    count(*) as n_enrolled,
    count(*) filter (where {population}) as n_population,
    count(doubtful.enrollment_key) filter (where {population}) as n_in_doubt,
    count(*) filter (
        where
        {population}
        and doubtful.enrollment_key is null
        and $origin_code <> 'enrollment'
        and started.day is null
    ) as n_without_origin
from dim_enrollment as enrollment
left join doubtful using (enrollment_key)
left join fct_milestone as started
    on
        started.enrollment_key = enrollment.enrollment_key
        and started.milestone_code = $origin_code
        and started.instance = 1
group by all
order by all
