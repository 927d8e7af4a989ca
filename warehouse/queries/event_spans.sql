-- event_spans: when the events of each term began in a course of a block, and how long they lasted.
-- grain: one row per cohort x kind of line x term, of documented lines
-- params: population, block, nth, terms, is_fatal, grade
-- Of each line and term the first event counts; of several that began on its day the longest, one
-- without a recorded end being taken for the longest. Day 1 is the first day of the course, and both
-- ends of a duration count. n_ended: those whose end is recorded.
with

first_event as (
    select
        counted.cohort_code,
        counted.entry_reason,
        event.term_code,
        event.onset_day - course.start_day + 1 as onset,
        event.end_day - event.onset_day + 1 as duration
    from fct_block as counted
    inner join fct_adverse_event as event
        on
            event.enrollment_key = counted.enrollment_key
            and event.line_number = counted.line_number
            and event.block_code = counted.block_code
    inner join fct_course as course
        on
            course.enrollment_key = event.enrollment_key
            and course.line_number = event.line_number
            and course.block_code = event.block_code
            and course.course_number = event.course_number
    where
        counted.block_code = $block
        and event.course_number = $nth
        and counted.is_documented
        and list_contains($terms, event.term_code)
        and if(
            $is_fatal,
            event.grade_low = 5 or coalesce(event.outcome_code = 'fatal', false),
            event.grade_low >= $grade
        )
        and {population}
    qualify
        row_number() over (
            partition by counted.enrollment_key, counted.line_number, event.term_code
            order by event.onset_day, event.end_day desc nulls first
        ) = 1
)

select
    cohort_code,
    entry_reason,
    term_code,
    count(*) as n,
    quantile_cont(onset, [0.25, 0.5, 0.75]) as onset,
    count(duration) as n_ended,
    quantile_cont(duration, [0.25, 0.5, 0.75]) as duration
from first_event
group by all
order by cohort_code, entry_reason, term_code
