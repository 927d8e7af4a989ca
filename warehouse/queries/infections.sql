-- infections: infections of at least `grade` in documented lines of a block, by what is known.
-- grain: one row per cohort x kind of line x dimension x level
-- params: population, block, category, grade
-- dimension: any, site, pathogen, documentation, outcome or term. n: lines with at least one.
with

infection as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.enrollment_key,
        coalesce(event.infection_site_code, 'not_recorded') as site,
        coalesce(event.pathogen_code, 'not_recorded') as pathogen,
        coalesce(event.documentation_code, 'not_recorded') as documentation,
        coalesce(event.outcome_code, 'not_recorded') as outcome,
        event.term_code as term
    from fct_block as counted
    inner join fct_adverse_event as event
        on
            event.enrollment_key = counted.enrollment_key
            and event.line_number = counted.line_number
            and event.block_code = counted.block_code
    inner join dim_term as term
        on
            term.term_code = event.term_code
            and term.category_code = $category
    where
        counted.block_code = $block
        and counted.is_documented
        and event.grade_low >= $grade
        and {population}
)

select
    cohort_code,
    entry_reason,
    case
        when grouping(site) = 0 then 'site'
        when grouping(pathogen) = 0 then 'pathogen'
        when grouping(documentation) = 0 then 'documentation'
        when grouping(outcome) = 0 then 'outcome'
        when grouping(term) = 0 then 'term'
        else 'any'
    end as dimension_code,
    coalesce(site, pathogen, documentation, outcome, term, 'any') as level_code,
    count(distinct enrollment_key) as n,
    count(*) as n_events
from infection
group by grouping sets (
    (cohort_code, entry_reason),
    (cohort_code, entry_reason, site),
    (cohort_code, entry_reason, pathogen),
    (cohort_code, entry_reason, documentation),
    (cohort_code, entry_reason, outcome),
    (cohort_code, entry_reason, term)
)
order by all
