-- level: enrollments by level of one characteristic, all of them and those of the population.
-- grain: one row per level that has enrollments; a level not recorded is null
-- params: population, lines, level (the column of the characteristic)
select
    {level} as level_code,
    count(*) filter (where is_primary) as n_all,
    count(*) filter (where {population}) as n_population
from dim_population as counted
where list_contains($lines, entry_reason)
group by all
order by all
