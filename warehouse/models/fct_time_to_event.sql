-- time to event: when each endpoint ended for each line, and how; or why it has no time.
-- grain: one row per line x endpoint
-- An event counts from the origin on. Of two on one day the endpoint's earlier declared one wins.
-- Without an event the line is censored at the endpoint's censoring milestone. No time if the
-- endpoint is not of this kind of line, if a quarantined row might have told of a milestone that
-- the endpoint needs, if the origin never came, or if there is neither event nor censoring day:
-- the reason says which, so that nobody is left out in silence. Milestones derived by the response
-- rule, and first days of blocks, stand beside the export's. An endpoint whose times the export
-- brings has those and no others.
with

doubtful as (
    select distinct doubt.enrollment_key, needed.endpoint_code
    from fct_doubt as doubt
    inner join dim_endpoint_need as needed using (milestone_code)
),

line as (
    select
        enrollment_key,
        line_number,
        entry_reason,
        start_day,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
),

judged as (
    -- Whoever is in remission of any kind dies in remission, whatever the definition accepts.
    select
        enrollment_key,
        line_number,
        response_code,
        first_remission_day as remission_day,
        failure_day,
        start_day
    from fct_response
    where response_code <> 'in_doubt' and is_default
),

first_relapse as (
    select
        response.enrollment_key,
        response.line_number,
        min(happened.day) as day
    from judged as response
    cross join (select distinct relapse_code from dim_response_rule) as rule
    inner join fct_milestone as happened
        on
            happened.enrollment_key = response.enrollment_key
            and happened.milestone_code = rule.relapse_code
            and happened.day >= response.start_day
    group by all
),

died as (
    select
        response.enrollment_key,
        response.line_number,
        min(happened.day) as day
    from judged as response
    cross join (select distinct death_code from dim_response_rule) as rule
    inner join fct_milestone as happened
        on
            happened.enrollment_key = response.enrollment_key
            and happened.milestone_code = rule.death_code
    group by all
),

derived as (
    select enrollment_key, line_number, 'non_response' as milestone_code, start_day as day
    from judged
    where response_code = 'non_response'
    union all
    select
        enrollment_key,
        line_number,
        'non_response_found' as milestone_code,
        failure_day as day
    from judged
    where response_code = 'non_response'
    union all
    select
        response.enrollment_key,
        response.line_number,
        case
            when response.remission_day is null then 'early_death' else 'death_in_remission'
        end as milestone_code,
        died.day
    from judged as response
    inner join died using (enrollment_key, line_number)
    left join first_relapse using (enrollment_key, line_number)
    where
        (response.remission_day is null and response.response_code <> 'non_response')
        or (
            response.remission_day is not null
            and (first_relapse.day is null or first_relapse.day > died.day)
        )
    union all
    select
        course.enrollment_key,
        course.line_number,
        start.milestone_code,
        min(course.start_day) as day
    from fct_course as course
    inner join dim_block_milestone as start using (block_code)
    group by all
),

happened as (
    select
        line.enrollment_key,
        line.line_number,
        milestone.milestone_code,
        milestone.day
    from line
    inner join fct_milestone as milestone using (enrollment_key)
    left join dim_response_rule as rule
        on
            rule.entry_reason = line.entry_reason
            and rule.remission_code = milestone.milestone_code
    left join died using (enrollment_key, line_number)
    where
        milestone.day >= line.start_day
        -- Remission on the day of death is no remission.
        and (rule.remission_code is null or died.day is null or milestone.day < died.day)
    union all
    select enrollment_key, line_number, milestone_code, day
    from derived
),

origin as (
    select
        line.enrollment_key,
        line.line_number,
        endpoint.endpoint_code,
        endpoint.censor_code,
        case
            when endpoint.origin_code = 'enrollment' then line.start_day else min(started.day)
        end as origin_day
    from line
    inner join dim_endpoint_line as defined using (entry_reason)
    inner join dim_endpoint as endpoint using (endpoint_code)
    left join happened as started
        on
            started.enrollment_key = line.enrollment_key
            and started.line_number = line.line_number
            and started.milestone_code = endpoint.origin_code
            and (line.next_start is null or started.day < line.next_start)
    group by
        line.enrollment_key,
        line.line_number,
        endpoint.endpoint_code,
        endpoint.censor_code,
        endpoint.origin_code,
        line.start_day
),

ended as (
    select
        origin.enrollment_key,
        origin.line_number,
        origin.endpoint_code,
        arg_min(
            struct_pack(day := happened.day, state := event.state, reason := event.milestone_code),
            struct_pack(day := happened.day, priority := event.priority)
        ) as outcome
    from origin
    inner join dim_endpoint_event as event using (endpoint_code)
    inner join happened
        on
            happened.enrollment_key = origin.enrollment_key
            and happened.line_number = origin.line_number
            and happened.milestone_code = event.milestone_code
            and happened.day >= origin.origin_day
    group by all
),

seen as (
    select enrollment_key, milestone_code, max(day) as day
    from fct_milestone
    group by all
),

observed as (
    select
        origin.enrollment_key,
        origin.line_number,
        origin.endpoint_code,
        origin.origin_day,
        ended.outcome,
        origin.censor_code,
        coalesce(ended.outcome.day, seen.day) as end_day
    from origin
    left join ended using (enrollment_key, line_number, endpoint_code)
    left join seen
        on
            seen.enrollment_key = origin.enrollment_key
            and seen.milestone_code = origin.censor_code
),

-- Times that the export brought belong to the first line that the endpoint is defined for.
finished as (
    select
        brought.enrollment_key,
        min(line.line_number) as line_number,
        brought.endpoint_code,
        brought.time_days,
        brought.state
    from fct_finished_time as brought
    inner join line using (enrollment_key)
    inner join dim_endpoint_line as defined
        on
            defined.endpoint_code = brought.endpoint_code
            and defined.entry_reason = line.entry_reason
    group by all
),

outcome as (
    select
        observed.enrollment_key,
        observed.line_number,
        observed.endpoint_code,
        observed.origin_day,
        endpoint.is_finished,
        if(
            endpoint.is_finished, finished.time_days, observed.end_day - observed.origin_day
        ) as time_days,
        if(endpoint.is_finished, finished.state, coalesce(observed.outcome.state, 0)) as state,
        if(
            endpoint.is_finished,
            coalesce(named.milestone_code, observed.censor_code),
            coalesce(observed.outcome.reason, observed.censor_code)
        ) as reason
    from observed
    inner join dim_endpoint as endpoint using (endpoint_code)
    left join finished using (enrollment_key, line_number, endpoint_code)
    -- A finished endpoint has one milestone a state.
    left join dim_endpoint_event as named
        on
            endpoint.is_finished
            and named.endpoint_code = finished.endpoint_code
            and named.state = finished.state
)

select
    line.enrollment_key,
    line.line_number,
    endpoint.endpoint_code,
    if(told.reason is null, outcome.time_days, null) as time_days,
    if(told.reason is null, outcome.state, null) as state,
    coalesce(told.reason, outcome.reason) as reason,
    if(outcome.is_finished, null, enrollment.entry_day - outcome.origin_day) as entry_days,
    if(outcome.is_finished, null, outcome.origin_day) as origin_day
from line
inner join dim_enrollment as enrollment using (enrollment_key)
cross join dim_endpoint as endpoint
left join outcome
    on
        outcome.enrollment_key = line.enrollment_key
        and outcome.line_number = line.line_number
        and outcome.endpoint_code = endpoint.endpoint_code
left join doubtful
    on
        doubtful.enrollment_key = line.enrollment_key
        and doubtful.endpoint_code = endpoint.endpoint_code
cross join lateral (
    select
        case
            when outcome.endpoint_code is null then 'not_defined'
            when doubtful.enrollment_key is not null then 'in_doubt'
            when outcome.origin_day is null and not outcome.is_finished then 'without_origin'
            when coalesce(outcome.time_days < 0, true) then 'without_day'
        end as reason
) as told
