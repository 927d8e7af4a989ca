-- era_level: lines of the population by year of enrollment and level of several characteristics.
-- grain: one row per set of characteristics x level x cohort x kind of line x year
-- params: population, levels (columns), sets (one grouping set a characteristic)
-- `mask` says which characteristic the row is of: the bit of its column is 0. No year: no dates.
with

dated as (
    select enrollment_key, enrollment_year
    from dim_enrollment
)

select
    grouping({levels}) as mask,
    {levels},
    cohort_code,
    entry_reason,
    enrollment_year,
    count(*) as n
from dim_population as counted
inner join dated using (enrollment_key)
where {population}
group by grouping sets ({sets})
order by all
