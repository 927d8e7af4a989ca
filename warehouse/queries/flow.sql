-- flow: how many lines of the population took each path through the stages of the flow.
-- grain: one row per cohort x kind of line x path (columns stage_0, stage_1 ...)
-- params: population, stages (columns), joins (one a stage); those of the stages
select
    counted.cohort_code,
    counted.entry_reason,
    {stages},
    count(*) as n
from dim_population as counted
{joins}
where {population}
group by all
order by all
