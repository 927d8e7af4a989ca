-- patient_course: the courses of the lines of the population. For clinicians.
-- grain: one row per course
-- params: population
select
    counted.enrollment_key,
    counted.line_number,
    course.block_code,
    course.course_number,
    course.start_day,
    course.stop_day
from dim_population as counted
inner join fct_course as course
    on
        course.enrollment_key = counted.enrollment_key
        and course.line_number = counted.line_number
where {population}
order by all
