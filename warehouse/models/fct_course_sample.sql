-- course sample: MRD before, during and after each course of the course rule's block.
-- grain: one row per course x moment
-- Before: the last sample up to the first day and after the end of the course before it; it may lie
-- before the line, as the marrow that showed a child refractory does. During: the last sample until the window after it opens, of any material. After:
-- the last sample in the window that was taken before the next course (one on its first day was). Of
-- two on one day the method that the study prefers counts, during a course the material first.
with

course as (
    select
        enrollment_key,
        line_number,
        block_code,
        course_number,
        start_day,
        stop_day,
        lead(start_day) over (
            partition by enrollment_key order by start_day, line_number, block_code, course_number
        ) as next_start
    from fct_course
),

of_block as (
    select
        course.enrollment_key,
        course.line_number,
        course.course_number,
        course.start_day,
        rule.material_code,
        rule.measure_code,
        rule.death_code,
        rule.contact_code,
        greatest(
            course.start_day - rule.before_days,
            lag(coalesce(course.stop_day, course.start_day)) over (
                partition by course.enrollment_key
                order by course.start_day, course.line_number, course.course_number
            )
            + 1
        ) as before_from,
        course.start_day + rule.after_from_day as after_from,
        least(
            course.start_day + rule.after_to_day,
            coalesce(course.next_start, course.start_day + rule.after_to_day)
        ) as after_to
    from course
    inner join dim_course_rule as rule using (block_code)
),

window_of as (
    select
        *,
        'before' as moment_code,
        before_from as first_day,
        start_day as last_day
    from of_block
    union all
    select
        *,
        'during' as moment_code,
        start_day + 1 as first_day,
        after_from - 1 as last_day
    from of_block
    union all
    select
        *,
        'after' as moment_code,
        after_from as first_day,
        after_to as last_day
    from of_block
),

sample as (
    select
        window_of.enrollment_key,
        window_of.line_number,
        window_of.course_number,
        window_of.moment_code,
        arg_max(
            struct_pack(
                sample_day := taken.sample_day,
                material_code := taken.material_code,
                method_code := taken.method_code,
                qualifier := taken.qualifier,
                value := taken.value,
                lod := taken.lod,
                loq := taken.loq,
                is_lod_assumed := taken.is_lod_assumed
            ),
            struct_pack(
                day := taken.sample_day,
                is_material := coalesce(taken.material_code = window_of.material_code, false),
                rank := -coalesce(method.position, 1000)
            )
        ) as chosen
    from window_of
    inner join fct_assessment as taken
        on
            taken.enrollment_key = window_of.enrollment_key
            and (
                window_of.material_code is null
                or window_of.moment_code = 'during'
                or taken.material_code = window_of.material_code
            )
            and taken.measure_code = window_of.measure_code
            and taken.sample_day between window_of.first_day and window_of.last_day
            and taken.qualifier is not null
    left join dim_method as method using (method_code)
    group by all
),

seen as (
    select
        happened.enrollment_key,
        min(happened.day) filter (where happened.milestone_code = rule.death_code) as death_day,
        max(happened.day) filter (where happened.milestone_code = rule.contact_code) as contact_day
    from fct_milestone as happened
    inner join dim_course_rule as rule
        on happened.milestone_code in (rule.death_code, rule.contact_code)
    group by all
),

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code in ('fct_assessment', 'fct_course')
)

select
    window_of.enrollment_key,
    window_of.line_number,
    window_of.course_number,
    window_of.moment_code,
    case
        when sample.chosen is not null then 'sampled'
        when doubtful.enrollment_key is not null then 'in_doubt'
        when seen.death_day <= window_of.last_day then 'died'
        when seen.death_day is null and seen.contact_day < window_of.last_day then 'too_early'
        else 'not_sampled'
    end as status,
    sample.chosen.sample_day as sample_day,
    sample.chosen.material_code as material_code,
    sample.chosen.method_code as method_code,
    sample.chosen.qualifier as qualifier,
    sample.chosen.value as value,
    sample.chosen.lod as lod,
    sample.chosen.loq as loq,
    sample.chosen.is_lod_assumed as is_lod_assumed
from window_of
left join sample using (enrollment_key, line_number, course_number, moment_code)
left join seen on seen.enrollment_key = window_of.enrollment_key
left join doubtful on doubtful.enrollment_key = window_of.enrollment_key
