-- bridge_wait: who reached an endpoint's event, who has a survival from it, and the days before it.
-- grain: one row per cohort x kind of line x reached or not x followed from it or not x days
-- params: population, reach_code (an endpoint), after_code (one that starts with its event)
-- `wait_days`: from the first remission of the line to the event; null if there was none before it.
with

after as (
    select enrollment_key, line_number
    from fct_time_to_event
    where endpoint_code = $after_code and state is not null
),

response as (
    select enrollment_key, line_number, first_remission_day
    from fct_response
    where is_default
)

select
    cohort_code,
    entry_reason,
    state = 1 as is_reached,
    after.enrollment_key is not null as is_followed,
    case
        when state = 1 and first_remission_day <= origin_day + time_days
            then origin_day + time_days - first_remission_day
    end as wait_days,
    count(*) as n
from fct_time_to_event as counted
left join after
    on
        after.enrollment_key = counted.enrollment_key
        and after.line_number = counted.line_number
left join response
    on
        response.enrollment_key = counted.enrollment_key
        and response.line_number = counted.line_number
where
    endpoint_code = $reach_code
    and state is not null
    and {population}
group by all
order by all
