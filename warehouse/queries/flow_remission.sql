-- flow_remission: the response of each line at the landmark, by the chosen definition.
-- grain: one row per line whose response is judged
-- params: definition
select
    enrollment_key,
    line_number,
    cast(response_code as varchar) as stage
from fct_response
where definition_code = $definition
