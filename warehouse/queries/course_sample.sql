-- course_sample: MRD before, during and after each course, one course a row, to be drawn.
-- grain: one row per course x moment
-- params: population, course_number
select
    cohort_code,
    entry_reason,
    dense_rank() over (order by enrollment_key, line_number) as path,
    moment_code,
    status,
    material_code,
    qualifier,
    value,
    lod
from fct_course_sample as counted
where
    course_number = $course_number
    and {population}
order by path, moment_code
