-- block: who started each block, and of whom the adverse events are documented.
-- grain: one row per cohort x kind of line x block that somebody started
-- params: population
-- n_days: of the documented; unknown if it is unknown of one of them.
select
    cohort_code,
    entry_reason,
    block_code,
    count(*) as n_started,
    count(*) filter (where is_documented) as n_documented,
    count(*) filter (where is_in_doubt) as n_in_doubt,
    sum(n_courses) as n_courses,
    coalesce(sum(n_courses) filter (where is_documented), 0) as n_courses_documented,
    case
        when count(n_days) filter (where is_documented) = count(*) filter (where is_documented)
            then sum(n_days) filter (where is_documented)
    end as n_days
from fct_block as counted
where {population}
group by all
order by all
