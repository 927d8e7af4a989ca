-- response: how the judged lines of the population stand at the landmark, by one definition.
-- grain: one row per cohort x kind of line x response x started treatment or not
-- params: population, definition
select
    cohort_code,
    entry_reason,
    response_code as class,
    has_started as is_reached,
    count(*) as n
from fct_response as counted
where
    definition_code = $definition
    and {population}
group by all
order by all
