-- time to event: when each endpoint ended for each enrollment, and how.
-- grain: one row per enrollment x endpoint that could be derived
-- An event counts from the origin on. Of two on one day the endpoint's earlier declared one wins.
-- Without an event the enrollment is censored at the endpoint's censoring milestone. No row if the
-- origin never came, if there is neither event nor censoring day, or if a quarantined row might
-- have told of a milestone the endpoint needs: such enrollments are counted as "not in the
-- figure", never dropped in silence.
with

needed as (
    select endpoint_code, milestone_code from dim_endpoint_event
    union
    select endpoint_code, censor_code from dim_endpoint
    union
    select endpoint_code, origin_code from dim_endpoint
),

doubtful as (
    select distinct doubt.enrollment_key, needed.endpoint_code
    from fct_doubt as doubt
    inner join needed using (milestone_code)
),

origin as (
    select
        enrollment.enrollment_key,
        endpoint.endpoint_code,
        endpoint.censor_code,
        case when endpoint.origin_code = 'enrollment' then 0 else started.day end as origin_day
    from dim_enrollment as enrollment
    cross join dim_endpoint as endpoint
    anti join doubtful
        on
            doubtful.enrollment_key = enrollment.enrollment_key
            and doubtful.endpoint_code = endpoint.endpoint_code
    left join fct_milestone as started
        on
            started.enrollment_key = enrollment.enrollment_key
            and started.milestone_code = endpoint.origin_code
            and started.instance = 1
),

ended as (
    select
        origin.enrollment_key,
        origin.endpoint_code,
        arg_min(
            struct_pack(day := happened.day, state := event.state, reason := event.milestone_code),
            struct_pack(day := happened.day, priority := event.priority)
        ) as outcome
    from origin
    inner join dim_endpoint_event as event using (endpoint_code)
    inner join fct_milestone as happened
        on
            happened.enrollment_key = origin.enrollment_key
            and happened.milestone_code = event.milestone_code
            and happened.day >= origin.origin_day
    group by all
),

observed as (
    select
        origin.enrollment_key,
        origin.endpoint_code,
        origin.origin_day,
        ended.outcome,
        origin.censor_code,
        seen.day as censor_day
    from origin
    left join ended using (enrollment_key, endpoint_code)
    left join fct_milestone as seen
        on
            seen.enrollment_key = origin.enrollment_key
            and seen.milestone_code = origin.censor_code
            and seen.instance = 1
    where origin.origin_day is not null
)

select
    enrollment_key,
    endpoint_code,
    coalesce(outcome.day, censor_day) - origin_day as time_days,
    coalesce(outcome.state, 0) as state,
    coalesce(outcome.reason, censor_code) as reason
from observed
where coalesce(outcome.day, censor_day) >= origin_day
order by enrollment_key, endpoint_code
