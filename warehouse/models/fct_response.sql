-- response: how each line stands at the landmark of the study's response rule.
-- grain: one row per line whose response is judged x definition of remission
-- A remission counts if it is reached before the day of death and before the next line begins; one
-- reached after the landmark stays a failure and is marked late. Alive at the landmark without
-- remission is a failure if a sample was looked at by then (or the study keeps none), else not
-- evaluable. In doubt if a
-- quarantined row might have told of remission or death. A definition splits the remissions alone: by
-- the landmark, but of no detail that it accepts, is a remission of another kind.
with

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
    select
        line.enrollment_key,
        line.line_number,
        line.start_day,
        line.next_start,
        line.start_day + rule.landmark_day as landmark,
        line.start_day + rule.assessed_from_day as assessed_from,
        rule.remission_code,
        rule.death_code,
        rule.contact_code,
        rule.material_code,
        rule.needs_sample,
        doubtful.enrollment_key is not null as is_in_doubt
    from line
    inner join dim_response_rule as rule using (entry_reason)
    left join (
        select distinct doubt.enrollment_key
        from fct_doubt as doubt
        inner join dim_response_rule as rule
            on doubt.milestone_code in (rule.remission_code, rule.death_code)
    ) as doubtful
        on doubtful.enrollment_key = line.enrollment_key
),

ended as (
    select
        judged.enrollment_key,
        judged.line_number,
        min(happened.day) filter (where happened.milestone_code = judged.death_code) as death_day,
        max(happened.day) filter (
            where happened.milestone_code = judged.contact_code
        ) as contact_day
    from judged
    left join fct_milestone as happened
        on
            happened.enrollment_key = judged.enrollment_key
            and happened.milestone_code in (judged.death_code, judged.contact_code)
    group by all
),

remitted as (
    select
        judged.enrollment_key,
        judged.line_number,
        definition.definition_code,
        min(happened.day) filter (
            where definition.detail_code in ('', happened.detail_code)
        ) as remission_day,
        min(happened.day) as any_remission_day
    from judged
    inner join ended using (enrollment_key, line_number)
    cross join dim_response_definition as definition
    inner join fct_milestone as happened
        on
            happened.enrollment_key = judged.enrollment_key
            and happened.milestone_code = judged.remission_code
            and happened.day >= judged.start_day
            and (judged.next_start is null or happened.day < judged.next_start)
            and (ended.death_day is null or happened.day < ended.death_day)
    group by all
),

assessed as (
    select
        judged.enrollment_key,
        judged.line_number,
        max(sample.sample_day) as failure_day
    from judged
    inner join fct_assessment as sample
        on
            sample.enrollment_key = judged.enrollment_key
            and (
                judged.material_code is null or sample.material_code = judged.material_code
            )
            and sample.sample_day between judged.assessed_from and judged.landmark
            and sample.qualifier is not null
            and sample.qualifier <> 'failed'
    group by all
),

started as (
    select distinct enrollment_key, line_number
    from fct_course
),

known as (
    select
        judged.enrollment_key,
        judged.line_number,
        definition.definition_code,
        definition.is_default,
        started.enrollment_key is not null as has_started,
        judged.start_day,
        judged.landmark,
        judged.is_in_doubt,
        judged.needs_sample,
        remitted.remission_day,
        remitted.any_remission_day,
        assessed.failure_day,
        ended.death_day,
        coalesce(ended.death_day, ended.contact_day) as seen_day
    from judged
    cross join (
        select distinct definition_code, is_default from dim_response_definition
    ) as definition
    left join ended using (enrollment_key, line_number)
    left join remitted using (enrollment_key, line_number, definition_code)
    left join assessed using (enrollment_key, line_number)
    left join started using (enrollment_key, line_number)
)

select
    enrollment_key,
    line_number,
    definition_code,
    is_default,
    has_started,
    case
        when is_in_doubt then 'in_doubt'
        when remission_day <= landmark then 'remission'
        when any_remission_day <= landmark then 'other_remission'
        when any_remission_day > landmark then 'non_response'
        when death_day < landmark then 'early_death'
        when seen_day >= landmark and (failure_day is not null or not needs_sample)
            then 'non_response'
        when death_day is not null then 'early_death'
        else 'not_evaluable'
    end as response_code,
    if(is_in_doubt, null, remission_day) as remission_day,
    if(is_in_doubt, null, any_remission_day) as first_remission_day,
    not is_in_doubt and coalesce(any_remission_day > landmark, false) as is_late,
    case
        when not is_in_doubt and coalesce(any_remission_day, landmark + 1) > landmark
            then coalesce(failure_day, landmark)
    end as failure_day,
    start_day
from known
