-- bridge_mrd: how the lines end an endpoint on each day, by the class of MRD known at its start.
-- grain: one row per cohort x kind of line x class x day x state
-- params: population, endpoint_code, timepoint_code, threshold (null: the assay's own limit)
-- A sample taken after the start (or of a start whose day is not known) was not known then: its line
-- has no class, like one without a sample.
select
    cohort_code,
    entry_reason,
    sample.class,
    time_days,
    state,
    count(*) as n
from fct_time_to_event as counted
left join (
    select
        enrollment_key,
        line_number,
        sample_day,
        {class of threshold} as class
    from fct_response_sample
    where timepoint_code = $timepoint_code
) as sample
    on
        sample.enrollment_key = counted.enrollment_key
        and sample.line_number = counted.line_number
        and sample.sample_day <= counted.origin_day
where
    endpoint_code = $endpoint_code
    and state is not null
    and {population}
group by all
order by all
