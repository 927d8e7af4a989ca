-- cohort: enrollments by cohort, all of them and those of the population.
-- grain: one row per cohort that has enrollments
-- params: population
select
    enrollment.cohort_code,
    count(*) as n_enrolled,
    count(*) filter (where {population}) as n_population
from dim_enrollment as enrollment
group by all
order by all
