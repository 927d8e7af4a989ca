-- patient_mrd: the class of each line of the population at a time point. For clinicians.
-- grain: one row per line whose response is judged
-- params: population, timepoint_code, threshold
select
    enrollment_key,
    line_number,
    {class of threshold} as class,
    is_reached,
    sample_day as day
from fct_response_sample as counted
where
    timepoint_code = $timepoint_code
    and {population}
order by all
