-- enrollment: enrollments and children by cohort, and how many have no loaded line of therapy.
-- grain: one row per cohort that has enrollments
-- params: none
with

patient as (
    select
        patient_key,
        count(distinct cohort_code) as n_cohorts
    from dim_enrollment
    group by all
)

select
    enrollment.cohort_code,
    count(*) as n_enrolled,
    count(distinct enrollment.patient_key) as n_children,
    count(*) filter (where patient.n_cohorts > 1) as n_in_other_cohorts,
    count(*) filter (
        where not exists (
            select 1 from dim_line as line where line.enrollment_key = enrollment.enrollment_key
        )
    ) as n_without_line,
    count(*) filter (where enrollment.entry_day > 14) as n_late_entry
from dim_enrollment as enrollment
inner join patient using (patient_key)
group by all
order by all
