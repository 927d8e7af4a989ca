-- group_exposure: courses, days at risk and events of each group of blocks.
-- grain: one row per cohort x kind of line x group x part of its courses x what a line had in it
-- params: population, terms, is_fatal, grade
-- part: all courses of the group in the line; the first ones of their blocks; the later ones. n lines
-- had so many courses and days, and in them so many events and courses with any. is_possible: no
-- event for certain, but one whose grade is a range that reaches `grade`. Of undocumented lines, whose
-- courses of the group are not all documented, nothing but their number.
with

line as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        counted.line_number,
        member.group_code,
        bool_and(counted.is_documented) as is_documented
    from fct_block as counted
    inner join dim_block_group as member using (block_code)
    where {population}
    group by all
),

event as (
    select
        enrollment_key,
        line_number,
        block_code,
        course_number,
        count(*) filter (where $is_fatal or grade_low >= $grade) as n_events,
        count(*) as n_possible
    from fct_adverse_event
    where
        block_code is not null
        and list_contains($terms, term_code)
        and if(
            $is_fatal,
            grade_low = 5 or coalesce(outcome_code = 'fatal', false),
            grade_high >= $grade
        )
    group by all
),

course as (
    select
        line.*,
        given.course_number = 1 as is_first,
        given.until_day - given.start_day + 1 as n_days,
        coalesce(event.n_events, 0) as n_events,
        coalesce(event.n_possible, 0) as n_possible
    from line
    inner join dim_block_group as member using (group_code)
    inner join fct_course as given
        on
            given.enrollment_key = line.enrollment_key
            and given.line_number = line.line_number
            and given.block_code = member.block_code
    left join event
        on
            event.enrollment_key = given.enrollment_key
            and event.line_number = given.line_number
            and event.block_code = given.block_code
            and event.course_number = given.course_number
),

by_line as (
    select
        cohort_code,
        entry_reason,
        group_code,
        is_documented,
        case
            when grouping(is_first) = 1 then 'all'
            when is_first then 'first'
            else 'later'
        end as part_code,
        count(*) as n_courses,
        sum(n_days) as n_days,
        sum(n_events) as n_events,
        count(*) filter (where n_events > 0) as n_courses_with,
        sum(n_events) = 0 and sum(n_possible) > 0 as is_possible
    from course
    group by grouping sets (
        (cohort_code, entry_reason, group_code, is_documented, enrollment_key, line_number),
        (cohort_code, entry_reason, group_code, is_documented, enrollment_key, line_number, is_first)
    )
)

select
    cohort_code,
    entry_reason,
    group_code,
    part_code,
    is_documented,
    cast(if(is_documented, n_courses, 0) as bigint) as n_courses,
    cast(if(is_documented, n_days, 0) as bigint) as n_days,
    cast(if(is_documented, n_events, 0) as bigint) as n_events,
    cast(if(is_documented, n_courses_with, 0) as bigint) as n_courses_with,
    is_documented and is_possible as is_possible,
    count(*) as n
from by_line
group by all
order by all
