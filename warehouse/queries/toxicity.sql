-- toxicity: documented patients with a worst grade of at least `grade`, by block and item.
-- grain: one row per cohort x kind of line x block x item (kind: any, category or term)
-- params: population, grade, categories (what 'any' covers)
-- n is certain; n_possible adds those whose grade is a range that reaches `grade`.
with

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code = 'fct_adverse_event'
),

documented as (
    select
        course.enrollment_key,
        course.line_number,
        course.block_code
    from fct_course as course
    anti join doubtful using (enrollment_key)
    group by all
    having bool_and(course.ae_documented = 'yes')
),

worst as (
    select
        enrollment.cohort_code,
        line.entry_reason,
        documented.block_code,
        documented.enrollment_key,
        documented.line_number,
        term.category_code,
        grade.term_code,
        max(grade.grade_low) >= $grade as is_certain,
        max(grade.grade_high) >= $grade as is_possible
    from dim_enrollment as enrollment
    inner join dim_line as line using (enrollment_key)
    inner join documented using (enrollment_key, line_number)
    inner join fct_worst_grade as grade
        on
            grade.enrollment_key = documented.enrollment_key
            and grade.line_number = documented.line_number
            and grade.block_code = documented.block_code
    inner join dim_term as term using (term_code)
    where {population}
    group by all
),

item as (
    select 'term' as kind, term_code as item_code, * from worst
    union all
    select 'category' as kind, category_code as item_code, * from worst
    union all
    select 'any' as kind, 'any' as item_code, *
    from worst
    where list_contains($categories, category_code)
),

patient as (
    select
        cohort_code,
        entry_reason,
        block_code,
        kind,
        item_code,
        enrollment_key,
        line_number,
        bool_or(is_certain) as is_certain,
        bool_or(is_possible) as is_possible
    from item
    group by all
)

select
    cohort_code,
    entry_reason,
    block_code,
    kind,
    item_code,
    count(*) filter (where is_certain) as n,
    count(*) filter (where is_possible) as n_possible
from patient
group by all
order by all
