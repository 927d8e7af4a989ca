-- patient_sample: every MRD result of the counted material, by class. For clinicians.
-- grain: one row per line x sample
-- params: population, measure_code, material_code (null: any), threshold
select
    counted.enrollment_key,
    counted.line_number,
    taken.sample_day as day,
    taken.class
from dim_population as counted
inner join (
    select
        enrollment_key,
        sample_day,
        {class of threshold} as class
    from (
        select
            *,
            'sampled' as status
        from fct_assessment
        where
            measure_code = $measure_code
            and coalesce(material_code = $material_code, true)
            and qualifier is not null
    )
) as taken on taken.enrollment_key = counted.enrollment_key
where {population}
order by all
