-- flow_timepoint: the class of each line's MRD there.
-- grain: one row per line whose response is judged
-- params: code, threshold
select
    enrollment_key,
    line_number,
    {class of threshold} as stage
from fct_response_sample
where timepoint_code = $code
