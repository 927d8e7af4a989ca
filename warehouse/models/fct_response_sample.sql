-- response sample: the MRD sample that stands for each time point of each judged line.
-- grain: one row per line whose response is judged x time point
-- The last sample in the window counts, and ends before the next course begins (a sample on the
-- first day of the next course was taken before it). Of two on one day the method that the study
-- prefers counts. Without a sample, who died by the end of the window is not missing: no response.
-- Only the declared material: blood never stands in for marrow.
with

line as (
    select
        line.enrollment_key,
        line.line_number,
        line.start_day,
        lead(line.start_day) over (
            partition by line.enrollment_key order by line.line_number
        ) as next_line,
        rule.material_code,
        rule.measure_code,
        rule.contact_code,
        rule.death_code
    from dim_line as line
    left join dim_response_rule as rule using (entry_reason)
),

course as (
    select
        enrollment_key,
        line_number,
        block_code,
        course_number,
        start_day,
        lead(start_day) over (
            partition by enrollment_key order by start_day, line_number, block_code, course_number
        ) as next_start
    from fct_course
),

anchored as (
    select
        line.enrollment_key,
        line.line_number,
        line.material_code,
        line.measure_code,
        point.timepoint_code,
        coalesce(after_course.start_day, before_course.start_day, happened.day) as anchor_day,
        point.from_day,
        case
            when point.after_block is not null
                then least(
                    after_course.start_day + point.to_day,
                    coalesce(after_course.next_start, after_course.start_day + point.to_day)
                )
            else coalesce(before_course.start_day, happened.day) + point.to_day
        end as last_day
    from line
    cross join dim_timepoint as point
    left join course as after_course
        on
            after_course.enrollment_key = line.enrollment_key
            and after_course.line_number = line.line_number
            and after_course.block_code = point.after_block
            and after_course.course_number = 1
    left join course as before_course
        on
            before_course.enrollment_key = line.enrollment_key
            and before_course.line_number = line.line_number
            and before_course.block_code = point.before_block
            and before_course.course_number = 1
    left join fct_milestone as happened
        on
            happened.enrollment_key = line.enrollment_key
            and happened.milestone_code = point.before_milestone
            and happened.instance = 1
            and happened.day >= line.start_day
            and (line.next_line is null or happened.day < line.next_line)
    where line.contact_code is not null
),

window_of as (
    select
        enrollment_key,
        line_number,
        timepoint_code,
        material_code,
        measure_code,
        anchor_day,
        anchor_day + from_day as first_day,
        last_day
    from anchored
),

sample as (
    select
        window_of.enrollment_key,
        window_of.line_number,
        window_of.timepoint_code,
        arg_max(
            struct_pack(
                sample_day := taken.sample_day,
                method_code := taken.method_code,
                qualifier := taken.qualifier,
                value := taken.value,
                lod := taken.lod,
                loq := taken.loq,
                is_lod_assumed := taken.is_lod_assumed
            ),
            struct_pack(day := taken.sample_day, rank := -coalesce(method.position, 1000))
        ) as chosen
    from window_of
    inner join fct_assessment as taken
        on
            taken.enrollment_key = window_of.enrollment_key
            and (
                window_of.material_code is null
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
        line.enrollment_key,
        line.line_number,
        min(happened.day) filter (where happened.milestone_code = line.death_code) as death_day,
        max(happened.day) filter (where happened.milestone_code = line.contact_code) as contact_day
    from line
    inner join fct_milestone as happened
        on
            happened.enrollment_key = line.enrollment_key
            and happened.milestone_code in (line.death_code, line.contact_code)
    group by line.enrollment_key, line.line_number
),

observed as (
    select
        window_of.enrollment_key,
        window_of.line_number,
        window_of.timepoint_code,
        window_of.anchor_day,
        window_of.last_day,
        seen.death_day,
        seen.contact_day
    from window_of
    left join seen using (enrollment_key, line_number)
),

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code in ('fct_assessment', 'fct_course')
)

select
    observed.enrollment_key,
    observed.line_number,
    observed.timepoint_code,
    case
        when sample.chosen is not null then 'sampled'
        when doubtful.enrollment_key is not null then 'in_doubt'
        when observed.anchor_day is null then 'not_reached'
        when observed.death_day <= observed.last_day then 'died'
        when observed.death_day is null and observed.contact_day < observed.last_day then 'too_early'
        else 'not_sampled'
    end as status,
    observed.anchor_day is not null as is_reached,
    sample.chosen.sample_day as sample_day,
    sample.chosen.method_code as method_code,
    sample.chosen.qualifier as qualifier,
    sample.chosen.value as value,
    sample.chosen.lod as lod,
    sample.chosen.loq as loq,
    sample.chosen.is_lod_assumed as is_lod_assumed
from observed
left join sample using (enrollment_key, line_number, timepoint_code)
left join doubtful using (enrollment_key)
