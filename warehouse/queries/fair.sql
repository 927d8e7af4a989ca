-- fair: every line of the population that has a time of an endpoint, with the levels asked for.
-- grain: one row per line
-- params: population, endpoint_code, levels (names of level columns, at least one of them known)
-- The patient's key says whose rows belong together; nothing but that is made of it.
with

line as (
    select
        enrollment_key,
        cohort_code,
        entry_reason,
        time_days,
        state,
        columns(lambda name: list_contains($levels, name))
    from fct_time_to_event as counted
    where
        endpoint_code = $endpoint_code
        and state is not null
        and {population}
)

select
    enrollment.patient_key,
    line.* exclude (enrollment_key)
from line
inner join dim_enrollment as enrollment using (enrollment_key)
order by all
