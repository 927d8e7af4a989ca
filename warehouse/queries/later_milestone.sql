-- later_milestone: how the lines of a population end an endpoint, and when a milestone first came.
-- grain: one row per cohort x kind of line x day x state x reason x day of the milestone x in doubt
-- params: population, endpoint_code, milestone_code
-- The milestone is the first from the start of the line to the day before the next line; its day
-- counts from the origin of the endpoint, and is 0 if it came before. Of a block its first course
-- is the milestone.
with

line as (
    select
        enrollment_key,
        line_number,
        start_day,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
),

happened as (
    select
        line.enrollment_key,
        line.line_number,
        milestone.day
    from line
    inner join fct_milestone as milestone
        on
            milestone.enrollment_key = line.enrollment_key
            and milestone.milestone_code = $milestone_code
            and milestone.day >= line.start_day
            and (line.next_start is null or milestone.day < line.next_start)
    union all
    select
        course.enrollment_key,
        course.line_number,
        course.start_day as day
    from fct_course as course
    inner join dim_block_milestone as start
        on
            start.block_code = course.block_code
            and start.milestone_code = $milestone_code
),

first_day as (
    select enrollment_key, line_number, min(day) as day
    from happened
    group by enrollment_key, line_number
),

doubtful as (
    select distinct doubt.enrollment_key
    from fct_doubt as doubt
    left join dim_block_milestone as start on start.milestone_code = $milestone_code
    where
        doubt.milestone_code = $milestone_code
        or (start.milestone_code is not null and doubt.milestone_code = 'fct_course')
)

select
    counted.cohort_code,
    counted.entry_reason,
    counted.time_days,
    counted.state,
    counted.reason,
    if(
        first_day.day < counted.origin_day, 0, first_day.day - counted.origin_day
    ) as switch_day,
    doubtful.enrollment_key is not null as is_in_doubt,
    count(*) as n
from fct_time_to_event as counted
left join first_day
    on
        first_day.enrollment_key = counted.enrollment_key
        and first_day.line_number = counted.line_number
left join doubtful on doubtful.enrollment_key = counted.enrollment_key
where
    counted.endpoint_code = $endpoint_code
    and {population}
group by all
order by all
