-- assay: how low the assays could see at a time point.
-- grain: one row per cohort x kind of line with a known limit of detection
-- params: population, timepoint_code
select
    cohort_code,
    entry_reason,
    count(*) as n,
    exp(avg(ln(lod))) as mean_lod
from fct_response_sample as counted
where
    timepoint_code = $timepoint_code
    and lod > 0
    and {population}
group by all
order by all
