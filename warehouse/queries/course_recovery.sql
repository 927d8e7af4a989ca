-- course_recovery: recovery of neutrophils in a course of a block, and how its days at risk ended.
-- grain: one row per cohort x kind of line x days; n documented lines
-- params: population, block, nth
-- Days from the start of the course: recovery_day (not recorded: null), last_day at risk.
select
    counted.cohort_code,
    counted.entry_reason,
    course.recovery_day - course.start_day as recovery_day,
    course.until_day - course.start_day as last_day,
    course.until_code,
    count(*) as n
from fct_block as counted
inner join fct_course as course
    on
        course.enrollment_key = counted.enrollment_key
        and course.line_number = counted.line_number
        and course.block_code = counted.block_code
where
    counted.block_code = $block
    and course.course_number = $nth
    and counted.is_documented
    and {population}
group by all
order by all
