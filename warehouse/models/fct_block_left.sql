-- block left: of each block who started it, and what came instead for the others.
-- grain: one row per line x block of the study
-- Who did not start it went on to a later block without it; or relapsed, left for another line
-- without a relapse (refractory) or died, whichever came first; or is alive without it. In doubt if
-- a quarantined row might have told of the block, or of what came instead of it.
with

codes as (
    select
        any_value(relapse_code) as relapse_code,
        any_value(death_code) as death_code
    from dim_response_rule
),

line as (
    select
        enrollment_key,
        line_number,
        start_day,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
),

came as (
    select
        line.enrollment_key,
        line.line_number,
        line.next_start,
        min(happened.day) filter (
            where happened.milestone_code = codes.relapse_code and happened.day > line.start_day
        ) as relapse_day,
        min(happened.day) filter (
            where happened.milestone_code = codes.death_code
        ) as death_day
    from line
    cross join codes
    left join fct_milestone as happened
        on
            happened.enrollment_key = line.enrollment_key
            and happened.milestone_code in (codes.relapse_code, codes.death_code)
    group by all
),

furthest as (
    select
        course.enrollment_key,
        course.line_number,
        max(block.position) as position
    from fct_course as course
    inner join dim_block as block using (block_code)
    group by all
),

doubtful as (
    select
        doubt.enrollment_key,
        bool_or(doubt.milestone_code = 'fct_course') as is_of_course
    from fct_doubt as doubt
    cross join codes
    where doubt.milestone_code in ('fct_course', codes.relapse_code, codes.death_code)
    group by all
)

select
    came.enrollment_key,
    came.line_number,
    block.block_code,
    case
        when given.is_documented then 'documented'
        when given.enrollment_key is not null then 'undocumented'
        when doubtful.is_of_course then 'in_doubt'
        when furthest.position > block.position then 'later_block'
        when doubtful.enrollment_key is not null then 'in_doubt'
        when
            came.relapse_day is not null
            and came.relapse_day <= coalesce(came.next_start, came.relapse_day)
            and came.relapse_day <= coalesce(came.death_day, came.relapse_day)
            then 'relapsed'
        when came.next_start is not null then 'next_line'
        when came.death_day is not null then 'died'
        else 'ongoing'
    end as class_code
from came
cross join dim_block as block
left join fct_block as given using (enrollment_key, line_number, block_code)
left join furthest using (enrollment_key, line_number)
left join doubtful using (enrollment_key)
