-- block: who started each block, and of whom the adverse events are documented.
-- grain: one row per cohort x kind of line x block that somebody started
-- params: population
-- Documented: every course of the block in the line says so, and no adverse-event row of the
-- child is quarantined. Silence is not zero.
with

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code = 'fct_adverse_event'
),

given as (
    select
        course.enrollment_key,
        course.line_number,
        course.block_code,
        count(*) as n_courses,
        bool_and(course.ae_documented = 'yes') and not bool_or(doubtful.enrollment_key is not null)
            as is_documented,
        bool_or(doubtful.enrollment_key is not null) as is_in_doubt
    from fct_course as course
    left join doubtful using (enrollment_key)
    group by all
)

select
    enrollment.cohort_code,
    line.entry_reason,
    given.block_code,
    count(*) as n_started,
    count(*) filter (where given.is_documented) as n_documented,
    count(*) filter (where given.is_in_doubt) as n_in_doubt,
    sum(given.n_courses) as n_courses
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
inner join given using (enrollment_key, line_number)
where {population}
group by all
order by all
