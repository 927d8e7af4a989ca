-- era_mrd: the MRD samples that stand for time points, by year of enrollment, method and limit.
-- grain: one row per cohort x kind of line x year x method, all limits (is_total) and each of them
-- params: population
-- A sample that stands for two time points is one. n_lines: lines that have such a sample.
-- No lod: the limit of detection is not known; is_lod_assumed: it is the study's default.
with

sample as (
    select distinct
        counted.cohort_code,
        counted.entry_reason,
        enrollment.enrollment_year,
        counted.enrollment_key,
        counted.line_number,
        counted.sample_day,
        counted.method_code,
        if(counted.lod > 0, counted.lod, null) as lod,
        coalesce(counted.lod > 0 and counted.is_lod_assumed, false) as is_lod_assumed
    from fct_response_sample as counted
    inner join dim_enrollment as enrollment using (enrollment_key)
    where
        counted.status = 'sampled'
        and {population}
)

select
    cohort_code,
    entry_reason,
    enrollment_year,
    method_code,
    grouping(lod) = 1 as is_total,
    lod,
    is_lod_assumed,
    count(*) as n,
    count(distinct (enrollment_key, line_number)) as n_lines
from sample
group by grouping sets (
    (cohort_code, entry_reason, enrollment_year, method_code),
    (cohort_code, entry_reason, enrollment_year, method_code, lod, is_lod_assumed)
)
order by all
