-- level: enrollments by level of several characteristics, all and those of the population.
-- grain: one row per set of characteristics x level that has enrollments
-- params: population, lines, levels (columns), sets (one grouping set a characteristic)
-- `mask` says which characteristic the row is of: the bit of its column is 0.
select
    grouping({levels}) as mask,
    {levels},
    count(*) filter (where is_primary) as n_all,
    count(*) filter (where {population}) as n_population
from dim_population as counted
where list_contains($lines, entry_reason)
group by grouping sets ({sets})
order by all
