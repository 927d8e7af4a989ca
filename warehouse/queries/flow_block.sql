-- flow_block: the lines that started it.
-- grain: one row per line that started the block
-- params: code
select distinct
    enrollment_key,
    line_number,
    'started' as stage
from fct_course
where block_code = $code
