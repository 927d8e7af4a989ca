-- listing_outside: adverse events outside every block, one by one, with the course nearest in time.
-- For clinicians.
-- grain: one row per event
-- params: population, terms, grade, is_fatal
-- gap_days: days from the last day of the nearest course's window to the event, below 0 from the
-- event to its first day; of two as near the earlier. An event of a child with several lines comes once.
with

event as (
    select
        happened.enrollment_key,
        happened.event_number,
        min(counted.line_number) as line_number,
        arg_min(counted.cohort_code, counted.line_number) as cohort_code,
        arg_min(counted.entry_reason, counted.line_number) as entry_reason,
        any_value(happened.term_code) as term_code,
        any_value(happened.grade_low) as grade_low,
        any_value(happened.grade_high) as grade_high,
        any_value(happened.scale_code) as scale_code,
        any_value(happened.onset_day) as onset_day,
        any_value(happened.end_day) as end_day,
        any_value(happened.outcome_code) as outcome_code,
        any_value(happened.is_serious) as is_serious,
        any_value(happened.infection_site_code) as infection_site_code,
        any_value(happened.pathogen_code) as pathogen_code,
        any_value(happened.documentation_code) as documentation_code
    from dim_population as counted
    inner join fct_adverse_event as happened
        on happened.enrollment_key = counted.enrollment_key
    where
        happened.block_code is null
        and list_contains($terms, happened.term_code)
        and if(
            $is_fatal,
            happened.grade_low = 5 or coalesce(happened.outcome_code = 'fatal', false),
            happened.grade_high >= $grade
        )
        and {population}
    group by happened.enrollment_key, happened.event_number
),

away as (
    select
        event.enrollment_key,
        event.event_number,
        course.block_code,
        course.course_number,
        course.start_day,
        if(
            event.onset_day < course.start_day,
            event.onset_day - course.start_day,
            event.onset_day - coalesce(course.until_day, course.stop_day, course.start_day)
        ) as gap_days
    from event
    inner join fct_course as course on course.enrollment_key = event.enrollment_key
),

nearest as (
    select
        enrollment_key,
        event_number,
        arg_min(
            struct_pack(block := block_code, number := course_number, gap := gap_days),
            struct_pack(away := abs(gap_days), start := start_day, block := block_code)
        ) as course
    from away
    group by all
)

select
    event.*,
    $is_fatal or event.grade_low >= $grade as is_certain,
    nearest.course.block as block_code,
    nearest.course.number as course_number,
    nearest.course.gap as gap_days
from event
left join nearest using (enrollment_key, event_number)
order by all
