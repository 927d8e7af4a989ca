-- era_time: how the lines end an endpoint on each day, by year of enrollment.
-- grain: one row per cohort x kind of line x year x day x state; no day: left out of the endpoint
-- params: population, endpoint_code
select
    counted.cohort_code,
    counted.entry_reason,
    enrollment.enrollment_year,
    counted.time_days,
    counted.state,
    count(*) as n
from fct_time_to_event as counted
inner join dim_enrollment as enrollment using (enrollment_key)
where
    counted.endpoint_code = $endpoint_code
    and {population}
group by all
order by all
