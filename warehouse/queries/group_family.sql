-- group_family: documented lines with each item of at least `grade` in each group of blocks.
-- grain: one row per cohort x kind of line x group x part of its courses x item
-- params: population, grade
-- What an item tells beside those that hold it or are in it. Items and parts as elsewhere.
with

line as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        counted.line_number,
        member.group_code
    from fct_block as counted
    inner join dim_block_group as member using (block_code)
    where {population}
    group by all
    having bool_and(counted.is_documented)
),

event as (
    select
        line.cohort_code,
        line.entry_reason,
        line.group_code,
        line.enrollment_key,
        line.line_number,
        event.course_number = 1 as is_first,
        event.term_code,
        term.category_code,
        term.is_default
    from line
    inner join dim_block_group as member using (group_code)
    inner join fct_adverse_event as event
        on
            event.enrollment_key = line.enrollment_key
            and event.line_number = line.line_number
            and event.block_code = member.block_code
    inner join dim_term as term using (term_code)
    where event.grade_low >= $grade
),

parts as (
    select
        * exclude (is_first),
        unnest(['all', if(is_first, 'first', 'later')]) as part_code
    from event
),

items as (
    select
        * exclude (term_code, category_code, is_default),
        unnest([
            concat('term/', term_code),
            concat('category/', category_code),
            if(is_default, 'any', 'all'),
            'all'
        ]) as item_code
    from parts
)

select
    cohort_code,
    entry_reason,
    group_code,
    part_code,
    item_code,
    count(distinct (enrollment_key, line_number)) as n
from items
group by all
order by all
