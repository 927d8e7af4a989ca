-- worst grade: the worst grade of each term in each course.
-- grain: one row per course x term
-- grade_low is certain, grade_high possible: '3-4' counts for >= 3 and is unknown for >= 4.
select
    enrollment_key,
    line_number,
    block_code,
    course_number,
    term_code,
    max(grade_low) as grade_low,
    max(grade_high) as grade_high,
    bool_or(grade_low = 5 or coalesce(outcome_code = 'fatal', false)) as is_fatal
from fct_adverse_event
where block_code is not null
group by all
