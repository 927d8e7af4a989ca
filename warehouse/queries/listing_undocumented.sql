-- listing_undocumented: who started a block (or might have) and is not counted in it, with what is
-- missing. For clinicians.
-- grain: one row per line
-- params: population, block
with

doubtful as (
    select
        enrollment_key,
        bool_or(milestone_code = 'fct_adverse_event') as is_of_event,
        bool_or(milestone_code = 'fct_course') as is_of_course
    from fct_doubt
    group by all
),

silent as (
    select
        enrollment_key,
        line_number,
        string_agg(course_number, ', ' order by course_number) filter (
            where ae_documented = 'no'
        ) as courses_no,
        string_agg(course_number, ', ' order by course_number) filter (
            where ae_documented not in ('yes', 'no')
        ) as courses_unknown
    from fct_course
    where block_code = $block
    group by all
)

select
    counted.enrollment_key,
    counted.line_number,
    counted.cohort_code,
    counted.entry_reason,
    counted.class_code = 'undocumented' as has_started,
    silent.courses_no,
    silent.courses_unknown,
    coalesce(doubtful.is_of_event, false) as is_event_in_doubt,
    coalesce(doubtful.is_of_course, false) as is_course_in_doubt
from fct_block_left as counted
left join doubtful on doubtful.enrollment_key = counted.enrollment_key
left join silent
    on
        silent.enrollment_key = counted.enrollment_key
        and silent.line_number = counted.line_number
where
    counted.block_code = $block
    and (
        counted.class_code = 'undocumented'
        or (counted.class_code = 'in_doubt' and doubtful.is_of_course)
    )
    and {population}
order by all
