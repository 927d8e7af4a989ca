-- outside: adverse events that belong to no block.
-- grain: one row per cohort x kind of line
-- params: population
select
    counted.cohort_code,
    counted.entry_reason,
    count(*) as n_events,
    count(distinct event.enrollment_key) as n_patients
from dim_population as counted
inner join fct_adverse_event as event using (enrollment_key)
where
    event.block_code is null
    and {population}
group by all
order by all
