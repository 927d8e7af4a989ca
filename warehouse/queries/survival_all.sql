-- survival_all: how the lines of a population end each of several endpoints, by day and state.
-- grain: one row per endpoint x cohort x kind of line x day x state x reason without a time
-- params: population, endpoint_codes
select
    endpoint_code,
    cohort_code,
    entry_reason,
    time_days,
    state,
    if(state is null, reason, null) as reason,
    count(*) as n
from fct_time_to_event as counted
where
    list_contains($endpoint_codes, endpoint_code)
    and {population}
group by all
order by all
