-- block: who started each block, and of whom the adverse events are documented.
-- grain: one row per cohort x kind of line x block that somebody started
-- params: population
select
    cohort_code,
    entry_reason,
    block_code,
    count(*) as n_started,
    count(*) filter (where is_documented) as n_documented,
    count(*) filter (where is_in_doubt) as n_in_doubt,
    sum(n_courses) as n_courses
from fct_block as counted
where {population}
group by all
order by all
