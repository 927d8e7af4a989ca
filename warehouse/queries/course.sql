-- course: MRD after the courses of the course rule's block, by disease before and cells given.
-- grain: one row per cohort x kind of line x course x disease before x class after x cells x
-- landmark; sums of infusions
-- params: population, threshold, high_from
with

classed as (
    select
        enrollment_key,
        line_number,
        course_number,
        moment_code,
        {class of threshold} as class
    from fct_course_sample
)

select
    counted.cohort_code,
    counted.entry_reason,
    counted.course_number,
    case
        when counted.high_value >= $high_from then 'high'
        when before.class in ('positive', 'negative') then 'mrd_' || before.class
        else 'unknown'
    end as disease,
    after.class,
    counted.n_cells_by_day > 0 as has_cells,
    counted.landmark_code,
    count(*) as n,
    sum(counted.n_cells)::bigint as n_cells,
    sum(counted.n_other_cells)::bigint as n_other_cells,
    sum(counted.drug_days)::bigint as drug_days
from fct_course_given as counted
inner join classed as before
    on
        before.enrollment_key = counted.enrollment_key
        and before.line_number = counted.line_number
        and before.course_number = counted.course_number
        and before.moment_code = 'before'
inner join classed as after
    on
        after.enrollment_key = counted.enrollment_key
        and after.line_number = counted.line_number
        and after.course_number = counted.course_number
        and after.moment_code = 'after'
where {population}
group by all
order by all
