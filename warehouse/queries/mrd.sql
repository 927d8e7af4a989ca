-- mrd: the class of each line's MRD at each time point, for a threshold of a negative result.
-- grain: one row per cohort x kind of line x time point x class x limit assumed or not
-- params: population, threshold
-- A result below a limit is negative only if that limit is at or below the threshold; otherwise it
-- is indeterminate. 'detected' is below quantification and never undetectable.
with

sample as (
    select
        enrollment_key,
        line_number,
        timepoint_code,
        coalesce(is_lod_assumed and qualifier = 'undetectable', false) as is_lod_assumed,
        case
            when status <> 'sampled' then status
            when qualifier = 'failed' then 'not_evaluable'
            when qualifier = '=' and value >= $threshold then 'positive'
            when qualifier = '=' and coalesce(loq, value) <= $threshold then 'negative'
            when qualifier = '<' and value <= $threshold then 'negative'
            when qualifier = 'undetectable' and lod <= $threshold then 'negative'
            when qualifier = 'detected' and loq <= $threshold then 'negative'
            when qualifier = '>' and value >= $threshold then 'positive'
            else 'indeterminate'
        end as class
    from fct_response_sample
)

select
    enrollment.cohort_code,
    line.entry_reason,
    sample.timepoint_code,
    sample.class,
    sample.is_lod_assumed,
    count(*) as n
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
inner join sample using (enrollment_key, line_number)
where {population}
group by all
order by all
