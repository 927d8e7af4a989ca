-- course_family: documented lines with each item of at least `grade` in a course of a block.
-- grain: one row per cohort x kind of line x item
-- params: population, block, nth, grade
-- What an item tells beside those that hold it or are in it. Items as elsewhere.
with

event as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        counted.line_number,
        unnest([
            concat('term/', event.term_code),
            concat('category/', term.category_code),
            if(term.is_default, 'any', 'all'),
            'all'
        ]) as item_code
    from fct_block as counted
    inner join fct_adverse_event as event
        on
            event.enrollment_key = counted.enrollment_key
            and event.line_number = counted.line_number
            and event.block_code = counted.block_code
    inner join dim_term as term using (term_code)
    where
        counted.block_code = $block
        and counted.is_documented
        and event.course_number = $nth
        and event.grade_low >= $grade
        and {population}
)

select
    cohort_code,
    entry_reason,
    item_code,
    count(distinct (enrollment_key, line_number)) as n
from event
group by all
order by all
