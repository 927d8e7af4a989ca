-- block grade: the worst grade of each item in each documented block.
-- grain: one row per line x documented block x item that happened in it; the table counts them
-- An item is a term, a category, any event of the categories that are shown by default, all
-- events, or a fatal one (a fatal event counts at every grade): categories are not sums of their
-- terms, since a patient counts once.
with

graded as (
    select
        grade.enrollment_key,
        grade.line_number,
        grade.block_code,
        grade.term_code,
        term.category_code,
        term.is_default,
        grade.grade_low,
        grade.grade_high,
        grade.is_fatal
    from fct_worst_grade as grade
    inner join fct_block as given using (enrollment_key, line_number, block_code)
    inner join dim_term as term using (term_code)
    where given.is_documented
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
    max(grade_low) as grade_low,
    max(grade_high) as grade_high
from graded
group by grouping sets (
    (enrollment_key, line_number, block_code, term_code),
    (enrollment_key, line_number, block_code, category_code),
    (enrollment_key, line_number, block_code, is_default),
    (enrollment_key, line_number, block_code)
)
having grouping(is_default) = 1 or is_default
union all
select
    enrollment_key,
    line_number,
    block_code,
    'fatal' as item_code,
    5 as grade_low,
    5 as grade_high
from graded
where is_fatal
group by all
