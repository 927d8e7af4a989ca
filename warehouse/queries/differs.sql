-- differs: where a recorded characteristic differs from the derived one, both known.
-- grain: one row per cohort x kind of line
-- params: population, level and other (the columns of the two characteristics)
select
    enrollment.cohort_code,
    line.entry_reason,
    count(*) filter (where {level} <> {other}) as n_differs,
    count(*) filter (where {level} is not null and {other} is not null) as n_known
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
where {population}
group by all
order by all
