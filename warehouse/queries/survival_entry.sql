-- survival_entry: day counts with the day of registration, for delayed entry.
-- grain: one row per cohort x kind of line x entry day x day x state
-- params: population, endpoint_code
-- The entry day counts from the origin; registered by then, or on a day not known, is 0.
select
    cohort_code,
    entry_reason,
    greatest(coalesce(entry_days, 0), 0) as entry_day,
    time_days,
    state,
    count(*) as n
from fct_time_to_event as counted
where
    endpoint_code = $endpoint_code
    and state is not null
    and {population}
group by all
order by all
