-- response_change: how the response at the landmark differs between two definitions.
-- grain: one row per cohort x kind of line x response by one x by the other x started treatment
-- params: population, definition, other
select
    counted.cohort_code,
    counted.entry_reason,
    counted.response_code as class,
    judged.response_code as other_class,
    counted.has_started as is_reached,
    count(*) as n
from fct_response as counted
inner join fct_response as judged
    on
        judged.enrollment_key = counted.enrollment_key
        and judged.line_number = counted.line_number
        and judged.definition_code = $other
where
    counted.definition_code = $definition
    and {population}
group by all
order by all
