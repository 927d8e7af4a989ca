-- mrd: the class of each line's MRD at each time point, for a threshold of a negative result.
-- grain: one row per cohort x kind of line x time point x class x limit assumed or not
-- params: population, threshold
-- A result below a limit is negative only if that limit is at or below the threshold; otherwise it
-- is indeterminate. 'detected' is below quantification and never undetectable.
select
    cohort_code,
    entry_reason,
    timepoint_code,
    case
        when status <> 'sampled' then status
        when qualifier in ('failed', 'done') then 'not_evaluable'
        when qualifier = '=' and value >= $threshold then 'positive'
        when qualifier = '=' and coalesce(loq, value) <= $threshold then 'negative'
        when qualifier = '<' and value <= $threshold then 'negative'
        when qualifier = 'undetectable' and lod <= $threshold then 'negative'
        when qualifier = 'detected' and loq <= $threshold then 'negative'
        when qualifier = '>' and value >= $threshold then 'positive'
        else 'indeterminate'
    end as class,
    coalesce(is_lod_assumed and qualifier = 'undetectable', false) as is_lod_assumed,
    count(*) as n
from fct_response_sample as counted
where {population}
group by all
order by all
