-- block: who started each block, and whether their adverse events are documented.
-- grain: one row per line x block that was started in it
-- Documented: every course of the block in the line says so, and no adverse event and no course of
-- the child is quarantined: it might have been of this block. Silence is not zero.
with

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code in ('fct_adverse_event', 'fct_course')
)

select
    course.enrollment_key,
    course.line_number,
    course.block_code,
    count(*) as n_courses,
    bool_and(course.ae_documented = 'yes' and doubtful.enrollment_key is null) as is_documented,
    bool_or(doubtful.enrollment_key is not null) as is_in_doubt,
    -- Unknown if it is unknown of one course.
    case
        when count(course.until_day) = count(*)
            then sum(course.until_day - course.start_day + 1)
    end as n_days
from fct_course as course
left join doubtful using (enrollment_key)
group by all
