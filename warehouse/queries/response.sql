-- response: how the judged lines of the population stand at the landmark.
-- grain: one row per cohort x kind of line x response x late or not
-- params: population
select
    cohort_code,
    entry_reason,
    response_code,
    is_late,
    count(*) as n
from fct_response as counted
where {population}
group by all
order by all
