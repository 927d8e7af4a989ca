-- later_infusion: how the lines of a population end an endpoint, and the day of a first infusion.
-- grain: one row per cohort x kind of line x day x state x reason x day of the infusion x in doubt
-- params: population, endpoint_code, infusion_code
-- The first infusion of the kind in the line on the origin of the endpoint or later; days count from
-- there. Cells that the course rule counts apart (other sources, after its milestone) do not count.
with

barred as (
    select happened.enrollment_key, min(happened.day) as day
    from fct_milestone as happened
    inner join dim_course_rule as rule
        on
            rule.cells_not_after = happened.milestone_code
            and rule.cells_code = $infusion_code
    group by happened.enrollment_key
),

given as (
    select
        timed.enrollment_key,
        timed.line_number,
        min(infusion.start_day) as day
    from fct_time_to_event as timed
    inner join fct_infusion as infusion
        on
            infusion.enrollment_key = timed.enrollment_key
            and infusion.line_number = timed.line_number
            and infusion.kind_code = $infusion_code
            and infusion.start_day >= timed.origin_day
    anti join dim_other_source as other on other.source_code = infusion.cell_source
    left join barred on barred.enrollment_key = timed.enrollment_key
    where
        timed.endpoint_code = $endpoint_code
        and coalesce(infusion.start_day <= barred.day, true)
    group by timed.enrollment_key, timed.line_number
),

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where milestone_code = 'fct_infusion'
)

select
    counted.cohort_code,
    counted.entry_reason,
    counted.time_days,
    counted.state,
    counted.reason,
    given.day - counted.origin_day as switch_day,
    doubtful.enrollment_key is not null as is_in_doubt,
    count(*) as n
from fct_time_to_event as counted
left join given
    on
        given.enrollment_key = counted.enrollment_key
        and given.line_number = counted.line_number
left join doubtful on doubtful.enrollment_key = counted.enrollment_key
where
    counted.endpoint_code = $endpoint_code
    and {population}
group by all
order by all
