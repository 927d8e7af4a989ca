-- baseline: the population by level of one characteristic.
-- grain: one row per cohort x kind of line x level that has somebody; not recorded is null
-- params: population, level (the column of the characteristic)
select
    cohort_code,
    entry_reason,
    {level} as level_code,
    count(*) as n
from dim_population as counted
where {population}
group by all
order by all
