-- survival_both: lines with a time of two endpoints: their first event, and death by first event.
-- grain: one row per endpoint of the two x cohort x kind of line x day x state x nested or not
-- params: population, first, alive (endpoints)
-- The state of a death is that of the first event before it. Nested: who is dead had an event by
-- then; whoever is not would be counted in two places at once.
with

pair as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.time_days as first_days,
        counted.state as first_state,
        alive.time_days as alive_days,
        if(alive.state > 0, counted.state, 0) as dead_state,
        alive.state = 0
        or (counted.state > 0 and counted.time_days <= alive.time_days) as is_nested
    from fct_time_to_event as counted
    inner join (
        select * from fct_time_to_event where endpoint_code = $alive and state is not null
    ) as alive using (enrollment_key, line_number)
    where
        counted.endpoint_code = $first
        and counted.state is not null
        and {population}
)

select
    $first as endpoint_code,
    cohort_code,
    entry_reason,
    first_days as time_days,
    first_state as state,
    is_nested,
    count(*) as n
from pair
group by all
union all
select
    $alive as endpoint_code,
    cohort_code,
    entry_reason,
    alive_days as time_days,
    dead_state as state,
    is_nested,
    count(*) as n
from pair
group by all
order by all
