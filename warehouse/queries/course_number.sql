-- course_number: the numbers of courses that anybody of the population had.
-- grain: one row per number
-- params: population
select distinct course_number
from fct_course_given as counted
where {population}
order by all
