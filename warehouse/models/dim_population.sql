-- population: every line of therapy with all that a population is chosen by and described with.
-- grain: one row per line
-- `exclude` instead of a list of columns: which characteristics there are is the study's to say.
select
    line.enrollment_key,
    line.line_number,
    line.entry_reason,
    line.is_primary,
    line.start_day,
    enrollment.* exclude (enrollment_key, patient_key)
from dim_line as line
inner join dim_enrollment as enrollment using (enrollment_key)
