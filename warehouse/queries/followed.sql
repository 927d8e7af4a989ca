-- followed: how long the lines of an endpoint were followed, and could have been.
-- grain: one row per cohort x kind of line
-- params: population, endpoint_code, late_days, terminal (milestones that end all follow-up)
-- Who had an event, or is dead, was followed in full. The others could have been followed to the data
-- cut-off: months since day 0, taken at their middle, and never less than they were. n_unknown: those
-- of whom that is not known. n_late: registered later than so many days after the time zero. n_shared:
-- lines of children who are in another cohort, or with another kind of line, too. n_both: lines of
-- children who are enrolled in another cohort too, in this population or not.
with

dead as (
    select distinct enrollment_key
    from fct_milestone
    where list_contains($terminal, milestone_code)
),

several as (
    select patient_key
    from dim_enrollment
    group by patient_key
    having min(cohort_code) <> max(cohort_code)
),

line as (
    select
        counted.cohort_code,
        counted.entry_reason,
        counted.time_days,
        coalesce(counted.entry_days > $late_days, false) as is_late,
        min(counted.cohort_code || '/' || counted.entry_reason) over same_child
        <> max(counted.cohort_code || '/' || counted.entry_reason) over same_child as is_shared,
        several.patient_key is not null as is_both,
        if(
            counted.state > 0 or dead.enrollment_key is not null,
            counted.time_days,
            greatest(
                (enrollment.potential_months + 0.5) * 365.25 / 12 - counted.origin_day,
                counted.time_days
            )
        ) as potential_days,
        counted.state = 0
        and dead.enrollment_key is null
        and (enrollment.potential_months is null or counted.origin_day is null) as is_unknown
    from fct_time_to_event as counted
    inner join dim_enrollment as enrollment using (enrollment_key)
    left join dead using (enrollment_key)
    left join several using (patient_key)
    where
        counted.endpoint_code = $endpoint_code
        and counted.state is not null
        and {population}
    window same_child as (partition by enrollment.patient_key)
)

select
    cohort_code,
    entry_reason,
    cast(sum(time_days) as double) as followed_days,
    cast(sum(potential_days) as double) as potential_days,
    count(*) filter (where is_unknown) as n_unknown,
    count(*) filter (where is_late) as n_late,
    count(*) filter (where is_shared) as n_shared,
    count(*) filter (where is_both) as n_both,
    count(*) as n
from line
group by all
order by all
