-- moments: mean and standard deviation of a number, over those in whom it is recorded.
-- grain: one row per cohort x kind of line that has anybody with a value
-- params: population, value (the column of the number)
select
    cohort_code,
    entry_reason,
    count({value}) as n,
    avg({value}) as mean,
    stddev_samp({value}) as standard_deviation,
    median({value}) as median
from dim_population as counted
where
    {population}
    and {value} is not null
group by all
order by all
