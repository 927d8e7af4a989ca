-- block burden: grade-days of documented lines in each block, of the categories shown by default
-- (any) and of every one (all).
-- grain: one row per line x documented block x item; the table counts those that are alike
-- Each event counts its certain grade on each day from its first to its last, at most to the last day
-- at risk of its course; without a recorded end up to that day (n_open). Of overlapping events of one
-- term the highest grade counts on each day; terms add up. n_late: events that began after that day,
-- when the child was no longer seen; they are not counted.
with

given as (
    select
        enrollment_key,
        line_number,
        block_code
    from fct_block
    where is_documented
),

event as (
    select
        event.enrollment_key,
        event.line_number,
        event.block_code,
        event.term_code,
        event.grade_low as grade,
        event.onset_day,
        least(coalesce(event.end_day, course.until_day), course.until_day) as last_day,
        event.onset_day > course.until_day as is_late,
        event.end_day is null and event.onset_day <= course.until_day as is_open
    from given
    inner join fct_adverse_event as event using (enrollment_key, line_number, block_code)
    inner join fct_course as course
        on
            course.enrollment_key = event.enrollment_key
            and course.line_number = event.line_number
            and course.block_code = event.block_code
            and course.course_number = event.course_number
),

by_term as (
    select
        enrollment_key,
        line_number,
        block_code,
        term_code,
        count(*) filter (where not is_late) as n_events,
        sum(grade * (last_day - onset_day + 1)) filter (where not is_late) as if_apart,
        count(*) filter (where is_open) as n_open,
        count(*) filter (where is_late) as n_late
    from event
    group by all
),

-- Only events of one term in one line can overlap: nobody else's days are counted one by one.
day as (
    select
        event.enrollment_key,
        event.line_number,
        event.block_code,
        event.term_code,
        event.grade,
        unnest(range(event.onset_day, event.last_day + 1)) as day
    from event
    semi join (from by_term where n_events > 1) as several
        on
            several.enrollment_key = event.enrollment_key
            and several.line_number = event.line_number
            and several.block_code = event.block_code
            and several.term_code = event.term_code
    where not event.is_late
),

highest as (
    select
        enrollment_key,
        line_number,
        block_code,
        term_code,
        day,
        max(grade) as grade
    from day
    group by all
),

overlapping as (
    select
        enrollment_key,
        line_number,
        block_code,
        term_code,
        sum(grade) as grade_days
    from highest
    group by all
),

by_line as (
    select
        by_term.enrollment_key,
        by_term.line_number,
        by_term.block_code,
        term.is_default,
        sum(coalesce(overlapping.grade_days, by_term.if_apart, 0)) as grade_days,
        sum(by_term.n_open) as n_open,
        sum(by_term.n_late) as n_late
    from by_term
    inner join dim_term as term using (term_code)
    left join overlapping using (enrollment_key, line_number, block_code, term_code)
    group by all
),

item as (
    select * from (values ('any'), ('all')) as items (item_code)
)

select
    given.enrollment_key,
    given.line_number,
    given.block_code,
    item.item_code,
    coalesce(sum(by_line.grade_days), 0) as grade_days,
    coalesce(sum(by_line.n_open), 0) as n_open,
    coalesce(sum(by_line.n_late), 0) as n_late
from given
cross join item
left join by_line
    on
        by_line.enrollment_key = given.enrollment_key
        and by_line.line_number = given.line_number
        and by_line.block_code = given.block_code
        and (by_line.is_default or item.item_code = 'all')
group by all
