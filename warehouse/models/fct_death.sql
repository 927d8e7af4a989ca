-- death: how each death is classed, and whether the adverse events tell the same.
-- grain: one row per line of an enrollment that died or has a fatal event
-- A second malignancy by the day of death comes before all. Early, as the response has it: of a
-- line whose response is judged, by its landmark and without a remission in it. In remission: a
-- remission before the day of death, of any line, no relapse from that remission on and no cause
-- that means the disease. Unknown if
-- a quarantined row might have told of any of it. The block is that of the latest course begun of
-- those whose window holds the day of death.
with

codes as (
    select
        any_value(remission_code) as remission_code,
        any_value(relapse_code) as relapse_code,
        any_value(death_code) as death_code
    from dim_response_rule
),

rule as (
    select
        any_value(transplant_code) as transplant_code,
        any_value(malignancy_code) as malignancy_code
    from dim_death_rule
),

died as (
    select
        happened.enrollment_key,
        happened.day,
        happened.detail_code as cause_code
    from fct_milestone as happened
    inner join codes on happened.milestone_code = codes.death_code
),

fatal as (
    select distinct enrollment_key
    from fct_adverse_event
    where grade_low = 5 or outcome_code = 'fatal'
),

before as (
    select
        died.enrollment_key,
        max(happened.day) filter (
            where happened.milestone_code = codes.remission_code and happened.day < died.day
        ) as remission_day,
        max(happened.day) filter (
            where happened.milestone_code = codes.relapse_code
        ) as relapse_day,
        coalesce(bool_or(happened.milestone_code = rule.transplant_code), false) as is_transplanted,
        coalesce(bool_or(happened.milestone_code = rule.malignancy_code), false) as has_malignancy
    from died
    cross join codes
    cross join rule
    left join fct_milestone as happened
        on happened.enrollment_key = died.enrollment_key and happened.day <= died.day
    group by all
),

early as (
    select
        line.enrollment_key,
        line.line_number
    from dim_line as line
    inner join dim_response_rule as judged using (entry_reason)
    inner join died using (enrollment_key)
    left join fct_milestone as remitted
        on
            remitted.enrollment_key = line.enrollment_key
            and remitted.milestone_code = judged.remission_code
            and remitted.day >= line.start_day
            and remitted.day < died.day
    where
        remitted.enrollment_key is null
        and died.day < line.start_day + judged.landmark_day
),

doubtful as (
    select
        doubt.enrollment_key,
        bool_or(doubt.milestone_code <> coalesce(rule.transplant_code, '')) as is_of_class
    from fct_doubt as doubt
    cross join codes
    cross join rule
    where
        doubt.milestone_code in (
            codes.remission_code,
            codes.relapse_code,
            codes.death_code,
            rule.transplant_code,
            rule.malignancy_code
        )
    group by all
),

given as (
    select
        died.enrollment_key,
        arg_max(
            course.block_code,
            struct_pack(
                day := course.start_day,
                line := course.line_number,
                number := course.course_number,
                block := course.block_code
            )
        ) as block_code
    from died
    inner join fct_course as course
        on
            course.enrollment_key = died.enrollment_key
            and died.day between course.start_day and course.until_day
    group by all
),

toxic as (
    select cause_code
    from dim_death_rule
    where is_toxic and cause_code <> ''
),

disease as (
    select cause_code
    from dim_death_rule
    where not is_toxic
)

select
    line.enrollment_key,
    line.line_number,
    died.day,
    died.cause_code,
    given.block_code,
    case
        when died.enrollment_key is null then 'no_death'
        when before.has_malignancy then 'after_second_malignancy'
        when doubtful.is_of_class then 'unknown'
        when early.enrollment_key is not null then 'early'
        when disease.cause_code is not null then 'with_disease'
        when before.remission_day > coalesce(before.relapse_day, -1)
            then
                case
                    when before.is_transplanted then 'in_remission_after_transplant'
                    when doubtful.enrollment_key is not null then 'unknown'
                    else 'in_remission'
                end
        else 'with_disease'
    end as class_code,
    case
        when fatal.enrollment_key is not null and died.enrollment_key is null then 'no_death'
        when
            fatal.enrollment_key is not null
            then if(
                toxic.cause_code is not null or not exists (select 1 from toxic),
                'matched',
                'other_cause'
            )
        when toxic.cause_code is not null then 'no_fatal_event'
        else 'not_toxic'
    end as match_code
from dim_line as line
left join died using (enrollment_key)
left join fatal using (enrollment_key)
left join before using (enrollment_key)
left join early using (enrollment_key, line_number)
left join doubtful using (enrollment_key)
left join given using (enrollment_key)
left join toxic using (cause_code)
left join disease using (cause_code)
where died.enrollment_key is not null or fatal.enrollment_key is not null
