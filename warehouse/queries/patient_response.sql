-- patient_response: how each line of the population stands at the landmark. For clinicians.
-- grain: one row per line whose response is judged
-- params: population, definition
select
    enrollment_key,
    line_number,
    response_code as class,
    has_started as is_reached,
    remission_day as day
from fct_response as counted
where
    definition_code = $definition
    and {population}
order by all
