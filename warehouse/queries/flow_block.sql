-- flow_block: the lines that started it, or of which a course is in quarantine.
-- grain: one row per line that started the block or may have
-- params: code
select distinct
    enrollment_key,
    line_number,
    'started' as stage
from fct_course
where block_code = $code
union all
select
    line.enrollment_key,
    line.line_number,
    'in_doubt' as stage
from dim_line as line
where
    exists (
        select 1 from fct_doubt as doubt
        where
            doubt.enrollment_key = line.enrollment_key
            and doubt.milestone_code = 'fct_course'
    )
    and not exists (
        select 1 from fct_course as course
        where
            course.enrollment_key = line.enrollment_key
            and course.line_number = line.line_number
            and course.block_code = $code
    )
