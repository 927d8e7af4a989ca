-- course_first: the first event in a course of a block, and how the days at risk of it ended.
-- grain: one row per cohort x kind of line x documented x days; n lines
-- params: population, block, nth, terms, is_fatal, grade
-- Days from the start of the course: first_day of the event (none: null), last_day at risk. Of
-- undocumented lines nothing but their number. n_possible: lines without an event for certain, but
-- with one whose grade is a range that reaches `grade`.
with

given as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.is_documented,
        counted.enrollment_key,
        counted.line_number,
        course.start_day,
        course.until_day,
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
        and {population}
),

event as (
    select
        enrollment_key,
        line_number,
        min(onset_day) filter (where $is_fatal or grade_low >= $grade) as onset_day
    from fct_adverse_event
    where
        block_code = $block
        and course_number = $nth
        and list_contains($terms, term_code)
        and if(
            $is_fatal,
            grade_low = 5 or coalesce(outcome_code = 'fatal', false),
            grade_high >= $grade
        )
    group by all
)

select
    given.cohort_code,
    given.entry_reason,
    given.is_documented,
    if(given.is_documented, event.onset_day - given.start_day, null) as first_day,
    if(given.is_documented, given.until_day - given.start_day, null) as last_day,
    if(given.is_documented, given.until_code, null) as until_code,
    count(*) as n,
    count(*) filter (
        where given.is_documented and event.enrollment_key is not null and event.onset_day is null
    ) as n_possible
from given
left join event using (enrollment_key, line_number)
group by all
order by all
