-- mrd: the class of each line's MRD at each time point, for a threshold of a negative result.
-- grain: one row per cohort x kind of line x time point x class x reached x limit assumed or not
-- params: population, threshold (null: the assay's own limit)
select
    cohort_code,
    entry_reason,
    timepoint_code,
    {class of threshold} as class,
    is_reached,
    coalesce(is_lod_assumed and qualifier = 'undetectable', false) as is_lod_assumed,
    count(*) as n
from fct_response_sample as counted
where {population}
group by all
order by all
