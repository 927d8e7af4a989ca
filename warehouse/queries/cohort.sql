-- cohort: children by cohort and kind of line: first lines of the kind, and those in the population.
-- grain: one row per cohort x kind of line that is there
-- params: population, lines
select
    enrollment.cohort_code,
    line.entry_reason,
    count(*) filter (where line.is_primary) as n_enrolled,
    count(*) filter (where {population}) as n_population
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
where list_contains($lines, line.entry_reason)
group by all
order by all
