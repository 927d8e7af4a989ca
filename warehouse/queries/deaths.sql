-- deaths: how every line of the population stands, the living among them: class, cause and block of
-- a death, and what fatal adverse events say of it.
-- grain: one row per cohort x kind of line x class x cause x block x match x is_open x has_relapsed
-- params: population
-- class: as fct_death has it; alive; in_doubt if a quarantined row might tell of a death. is_open:
-- an early death is possible beside the certain ones. has_relapsed: a death in remission after a
-- relapse. block_code of a death: outside every block; in_doubt if a course is in quarantine;
-- not_kept in data loaded before the end of a course's window was kept.
with

rule as (
    select
        any_value(contact_code) as contact_code,
        any_value(relapse_code) as relapse_code,
        any_value(death_code) as death_code,
        any_value(landmark_day) as landmark_day
    from dim_response_rule
),

seen as (
    select
        happened.enrollment_key,
        max(happened.day) filter (
            where happened.milestone_code = rule.contact_code
        ) as contact_day,
        min(happened.day) filter (
            where happened.milestone_code = rule.relapse_code
        ) as relapse_day
    from fct_milestone as happened
    cross join rule
    group by all
),

doubtful as (
    select
        doubt.enrollment_key,
        bool_or(doubt.milestone_code = rule.death_code) as is_of_death,
        bool_or(doubt.milestone_code = 'fct_course') as is_of_course,
        bool_or(doubt.milestone_code = 'fct_adverse_event') as is_of_event
    from fct_doubt as doubt
    cross join rule
    group by all
),

kept as (
    select bool_and(until_day is not null) as has_windows
    from fct_course
),

stands as (
    select
        counted.cohort_code,
        counted.entry_reason,
        case
            when death.day is not null then death.class_code
            when doubtful.is_of_death then 'in_doubt'
            else 'alive'
        end as class_code,
        case when death.day is not null then coalesce(death.cause_code, 'not_recorded') end
            as cause_code,
        case
            when death.day is null then null
            when not kept.has_windows then 'not_kept'
            when death.block_code is not null then death.block_code
            when doubtful.is_of_course then 'in_doubt'
            else 'outside'
        end as block_code,
        case
            when death.match_code = 'no_fatal_event' and doubtful.is_of_event
                then 'event_in_quarantine'
            when death.match_code = 'no_death' and doubtful.is_of_death then 'death_in_quarantine'
            when death.match_code = 'other_cause' and death.cause_code is null then 'no_cause'
            when death.match_code = 'not_toxic' and death.cause_code is null
                then 'not_toxic_no_cause'
            else death.match_code
        end as match_code,
        counted.start_day + rule.landmark_day as landmark,
        death.day as death_day,
        seen.contact_day,
        coalesce(seen.relapse_day <= death.day, false) as has_relapsed
    from dim_population as counted
    cross join rule
    cross join kept
    left join fct_death as death
        on
            death.enrollment_key = counted.enrollment_key
            and death.line_number = counted.line_number
    left join seen on seen.enrollment_key = counted.enrollment_key
    left join doubtful on doubtful.enrollment_key = counted.enrollment_key
    where {population}
)

select
    cohort_code,
    entry_reason,
    class_code,
    cause_code,
    block_code,
    match_code,
    case class_code
        when 'unknown' then death_day <= landmark
        when 'alive' then coalesce(contact_day < landmark, true)
        when 'in_doubt' then coalesce(contact_day < landmark, true)
        else false
    end as is_open,
    has_relapsed and class_code like 'in_remission%' as has_relapsed,
    count(*) as n
from stands
group by all
order by all
