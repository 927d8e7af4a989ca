-- mrd_change: how the class at a time point differs between two thresholds.
-- grain: one row per cohort x kind of line x class at one threshold x class at the other x reached
-- params: population, timepoint_code, threshold, other (null: the assay's own limit)
select
    cohort_code,
    entry_reason,
    {class of threshold} as class,
    {class of other} as other_class,
    is_reached,
    count(*) as n
from fct_response_sample as counted
where
    timepoint_code = $timepoint_code
    and {population}
group by all
order by all
