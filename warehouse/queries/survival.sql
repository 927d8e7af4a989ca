-- survival: how the lines end an endpoint on each day, by state, and who has no time and why.
-- grain: one row per cohort x kind of line x in the population or not x day x state x reason
-- params: population, lines, endpoint_code
-- Of first lines outside the population only the number is told: it is what was enrolled.
with

enrolled as (
    select
        cohort_code,
        entry_reason,
        time_days,
        state,
        reason,
        {population} as is_population
    from fct_time_to_event as counted
    where
        endpoint_code = $endpoint_code
        and is_primary
        and list_contains($lines, entry_reason)
)

select
    cohort_code,
    entry_reason,
    is_population,
    if(is_population, time_days, null) as time_days,
    if(is_population, state, null) as state,
    if(is_population, reason, null) as reason,
    count(*) as n
from enrolled
group by all
order by all
