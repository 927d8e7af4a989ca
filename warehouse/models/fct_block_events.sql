-- block events: how many events of at least each grade an item had in each documented block.
-- grain: one row per line x documented block x item x grade with an event; the table counts them
-- Items as in fct_block_grade. A grade that is a range counts for its lower end, which is certain.
with

graded as (
    select
        event.enrollment_key,
        event.line_number,
        event.block_code,
        event.term_code,
        term.category_code,
        term.is_default,
        given.n_courses,
        event.grade_low,
        event.grade_low = 5 or coalesce(event.outcome_code = 'fatal', false) as is_fatal
    from fct_adverse_event as event
    inner join fct_block as given using (enrollment_key, line_number, block_code)
    inner join dim_term as term using (term_code)
    where given.is_documented
),

least as (
    select grade_min from range(1, 6) as grades (grade_min)
),

reaching as (
    select
        graded.*,
        least.grade_min
    from graded
    inner join least on graded.grade_low >= least.grade_min
)

select
    enrollment_key,
    line_number,
    block_code,
    case
        when grouping(term_code) = 0 then concat('term/', term_code)
        when grouping(category_code) = 0 then concat('category/', category_code)
        when grouping(is_default) = 0 then 'any'
        else 'all'
    end as item_code,
    grade_min,
    count(*) as n_events,
    any_value(n_courses) as n_courses
from reaching
group by grouping sets (
    (enrollment_key, line_number, block_code, grade_min, term_code),
    (enrollment_key, line_number, block_code, grade_min, category_code),
    (enrollment_key, line_number, block_code, grade_min, is_default),
    (enrollment_key, line_number, block_code, grade_min)
)
having grouping(is_default) = 1 or is_default
union all
select
    enrollment_key,
    line_number,
    block_code,
    'fatal' as item_code,
    grade_min,
    count(*) as n_events,
    any_value(n_courses) as n_courses
from graded
cross join least
where is_fatal
group by all
