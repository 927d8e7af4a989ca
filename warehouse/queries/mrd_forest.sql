-- mrd_forest: MRD classes at a time point of every level of several characteristics, in one pass.
-- grain: one row per cohort x kind of line x set of characteristics x level x class x reached
-- params: population, timepoint_code, threshold, levels (columns), sets (one a characteristic)
-- `mask` says which characteristic the row is of: the bit of its column is 0.
select
    cohort_code,
    entry_reason,
    grouping({levels}) as mask,
    {levels},
    class,
    is_reached,
    count(*) as n
from (
    select
        counted.*,
        {class of threshold} as class
    from fct_response_sample as counted
    where
        timepoint_code = $timepoint_code
        and {population}
) as counted
group by grouping sets ({sets})
order by all
