-- cohort: children by cohort and kind of line: first lines of the kind, and those in the population.
-- grain: one row per cohort x kind of line that is there
-- params: population, lines
select
    cohort_code,
    entry_reason,
    count(*) filter (where is_primary) as n_enrolled,
    count(*) filter (where {population}) as n_population
from dim_population as counted
where list_contains($lines, entry_reason)
group by all
order by all
