-- survival_forest: day counts of every level of several characteristics, those without a time too.
-- grain: one row per cohort x kind of line x set of characteristics x level x day x state
-- params: population, endpoint_code, levels (columns), sets (one grouping set a characteristic)
-- `mask` says which characteristic the row is of: the bit of its column is 0. Who is left out of the
-- endpoint has neither day nor state, so that rows and those left out of them add up.
select
    cohort_code,
    entry_reason,
    grouping({levels}) as mask,
    {levels},
    time_days,
    state,
    count(*) as n
from fct_time_to_event as counted
where
    endpoint_code = $endpoint_code
    and {population}
group by grouping sets ({sets})
order by all
