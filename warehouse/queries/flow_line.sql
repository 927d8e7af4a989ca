-- flow_line: the path of each line of the population through the stages. For clinicians.
-- grain: one row per line (columns stage_0, stage_1 ...)
-- params: population, stages (columns), joins (one a stage); those of the stages
select
    counted.enrollment_key,
    counted.line_number,
    {stages}
from dim_population as counted
{joins}
where {population}
order by all
