-- flow_state: where each line stands at a time; not followed so long is a state of its own.
-- grain: one row per line with a time of either endpoint
-- params: event_free, alive (endpoints), at (days)
select
    enrollment_key,
    line_number,
    case
        when dead.state is null or free.state is null then 'unknown'
        when dead.state > 0 and dead.time_days <= $at then 'dead'
        when free.time_days > $at then 'alive_without_event'
        when free.state > 0 and dead.time_days > $at then 'alive_after_event'
        else 'not_followed'
    end as stage
from (select * from fct_time_to_event where endpoint_code = $event_free) as free
inner join (
    select * from fct_time_to_event where endpoint_code = $alive
) as dead using (enrollment_key, line_number)
