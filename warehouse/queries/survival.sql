-- survival: how the lines end an endpoint on each day, by state, and who has no time and why.
-- grain: one row per cohort x kind of line x in the population or not x day x state x reason
-- params: population, lines, endpoint_code
-- Of first lines outside the population only the number is told: it is what was enrolled.
select
    cohort_code,
    entry_reason,
    {population} as is_population,
    case when {population} then time_days end as time_days,
    case when {population} then state end as state,
    case when {population} then reason end as reason,
    count(*) as n
from fct_time_to_event as counted
where
    endpoint_code = $endpoint_code
    and is_primary
    and list_contains($lines, entry_reason)
group by all
order by all
