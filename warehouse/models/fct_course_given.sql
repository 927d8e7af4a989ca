-- course given: disease before each course of the course rule's block, and what was infused in it.
-- grain: one row per course
-- Disease before a course: the last measure of it in the window of the sample before (see
-- fct_course_sample); of two on one day the higher. On the landmark's day a course that has no end recorded still runs.
with

course as (
    select
        course.enrollment_key,
        course.line_number,
        course.course_number,
        course.block_code,
        course.start_day,
        course.stop_day,
        rule.* exclude (block_code),
        course.start_day + rule.cells_by_day - 1 as landmark_day,
        greatest(
            course.start_day - rule.before_days,
            lag(coalesce(course.stop_day, course.start_day)) over (
                partition by course.enrollment_key
                order by course.start_day, course.line_number, course.course_number
            )
            + 1
        ) as before_from
    from fct_course as course
    inner join dim_course_rule as rule using (block_code)
),

disease as (
    select
        course.enrollment_key,
        course.line_number,
        course.course_number,
        arg_max(
            taken.value, struct_pack(day := taken.sample_day, value := taken.value)
        ) as high_value
    from course
    inner join fct_assessment as taken
        on
            taken.enrollment_key = course.enrollment_key
            and taken.measure_code = course.high_measure
            and (course.material_code is null or taken.material_code = course.material_code)
            and taken.sample_day between course.before_from and course.start_day
            and taken.value is not null
    group by all
),

allowed as (
    select
        course.enrollment_key,
        course.line_number,
        course.course_number,
        min(happened.day) filter (
            where happened.milestone_code = course.cells_not_after
        ) as last_day,
        min(happened.day) filter (where happened.milestone_code = course.death_code) as death_day
    from course
    inner join fct_milestone as happened using (enrollment_key)
    group by all
),

infused as (
    select
        course.enrollment_key,
        course.line_number,
        course.course_number,
        coalesce(
            sum(given.stop_day - given.start_day + 1) filter (
                where given.kind_code = course.drug_code and given.stop_day >= given.start_day
            ),
            0
        ) as drug_days,
        count(*) filter (where given.kind_code = course.cells_code and not is_other) as n_cells,
        count(*) filter (
            where
            given.kind_code = course.cells_code
            and not is_other
            and given.start_day <= course.landmark_day
        ) as n_cells_by_day,
        count(*) filter (where given.kind_code = course.cells_code and is_other) as n_other_cells
    from course
    inner join (
        select
            given.*,
            other.source_code is not null
            or coalesce(given.start_day > allowed.last_day, false) as is_other
        from fct_infusion as given
        left join dim_other_source as other on other.source_code = given.cell_source
        left join allowed using (enrollment_key, line_number, course_number)
    ) as given using (enrollment_key, line_number, block_code, course_number)
    group by all
)

select
    course.enrollment_key,
    course.line_number,
    course.course_number,
    disease.high_value,
    coalesce(infused.drug_days, 0) as drug_days,
    coalesce(infused.n_cells, 0) as n_cells,
    coalesce(infused.n_cells_by_day, 0) as n_cells_by_day,
    coalesce(infused.n_other_cells, 0) as n_other_cells,
    case
        when allowed.death_day < course.landmark_day then 'died'
        when course.stop_day < course.landmark_day then 'stopped'
        else 'on_course'
    end as landmark_code
from course
left join disease using (enrollment_key, line_number, course_number)
left join allowed using (enrollment_key, line_number, course_number)
left join infused using (enrollment_key, line_number, course_number)
