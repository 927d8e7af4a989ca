-- differs: where a recorded characteristic differs from the derived one, both known.
-- grain: one row per cohort x kind of line
-- params: population, level and other (the columns of the two characteristics)
select
    cohort_code,
    entry_reason,
    count(*) filter (where {level} <> {other}) as n_differs,
    count(*) filter (where {level} is not null and {other} is not null) as n_known
from dim_population as counted
where {population}
group by all
order by all
