-- next_course: days from the start of a course of a block to the start of the next course.
-- grain: one row per cohort x kind of line, of documented lines
-- params: population, block, nth
-- The next course is the next one of the line, of any block; of another line only if it ended the
-- days at risk of this one. Without a next course: how the days at risk ended.
with

given as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        counted.line_number,
        course.start_day,
        course.until_code
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
),

by_line as (
    select
        given.cohort_code,
        given.entry_reason,
        given.until_code,
        min(later.start_day) filter (
            where later.line_number = given.line_number or given.until_code = 'next_course'
        ) - any_value(given.start_day) as n_days
    from given
    left join fct_course as later
        on
            later.enrollment_key = given.enrollment_key
            and later.start_day > given.start_day
    group by
        given.cohort_code,
        given.entry_reason,
        given.until_code,
        given.enrollment_key,
        given.line_number
)

select
    cohort_code,
    entry_reason,
    count(*) as n_courses,
    count(n_days) as n,
    quantile_cont(n_days, [0.25, 0.5, 0.75]) as quartiles,
    count(*) filter (where n_days is null and until_code = 'death') as n_death,
    count(*) filter (where n_days is null and until_code = 'relapse') as n_relapse,
    count(*) filter (where n_days is null and until_code = 'window') as n_window,
    count(*) filter (where n_days is null and until_code = 'censored') as n_censored,
    count(*) filter (where n_days is null and until_code = 'next_course') as n_same_day
from by_line
group by all
order by cohort_code, entry_reason
