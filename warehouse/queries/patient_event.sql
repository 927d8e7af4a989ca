-- patient_event: milestones of the enrollments of the population, and their infusions of cells.
-- For clinicians.
-- grain: one row per line x event
-- params: population, cells_code
select
    counted.enrollment_key,
    counted.line_number,
    happened.milestone_code as event_code,
    happened.day
from dim_population as counted
inner join fct_milestone as happened on happened.enrollment_key = counted.enrollment_key
where {population}
union all
select
    counted.enrollment_key,
    counted.line_number,
    'cells' as event_code,
    given.start_day as day
from dim_population as counted
inner join fct_infusion as given on given.enrollment_key = counted.enrollment_key
where
    given.kind_code = $cells_code
    and {population}
order by all
