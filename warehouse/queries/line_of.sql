-- line_of: the lines of some enrollments with all that a population is chosen by. For clinicians.
-- grain: one row per line
-- params: enrollment_keys
select *
from dim_population
where list_contains($enrollment_keys, enrollment_key)
order by enrollment_key, line_number
