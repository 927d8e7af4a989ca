-- listing: adverse events of a block, one by one, of who started it. For clinicians.
-- grain: one row per event
-- params: population, block, terms, grade, is_fatal
-- is_certain: it counts in the cell if the line is documented; else its grade is a range that
-- reaches `grade`. With is_fatal the fatal ones, whatever their grade.
select
    counted.enrollment_key,
    counted.line_number,
    counted.cohort_code,
    counted.entry_reason,
    counted.is_documented,
    event.event_number,
    event.term_code,
    event.grade_low,
    event.grade_high,
    event.scale_code,
    $is_fatal or event.grade_low >= $grade as is_certain,
    event.course_number,
    course.start_day,
    event.onset_day,
    event.end_day,
    event.outcome_code,
    event.is_serious,
    event.infection_site_code,
    event.pathogen_code,
    event.documentation_code
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
    and list_contains($terms, event.term_code)
    and if(
        $is_fatal,
        event.grade_low = 5 or coalesce(event.outcome_code = 'fatal', false),
        event.grade_high >= $grade
    )
    and {population}
order by all
