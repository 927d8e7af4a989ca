-- attrition: who is in the cohort, in the population, and in the figure of an endpoint.
-- grain: one row per cohort x kind of line that the selection names and that is there
-- params: population, origin_code, lines, endpoint_code, needed (milestones the endpoint needs)
with

window_of as (
    select
        enrollment_key,
        line_number,
        lead(start_day) over (partition by enrollment_key order by line_number) as next_start
    from dim_line
),

doubtful as (
    select distinct enrollment_key
    from fct_doubt
    where list_contains($needed, milestone_code)
)

select
    enrollment.cohort_code,
    line.entry_reason,
    count(*) filter (where line.is_primary) as n_enrolled,
    count(*) filter (where {population}) as n_population,
    count(doubtful.enrollment_key) filter (where {population}) as n_in_doubt,
    count(*) filter (
        where
        {population}
        and doubtful.enrollment_key is null
        and outcome.time_days is null
        and $origin_code <> 'enrollment'
        and not exists (
            select 1
            from fct_milestone as started
            where
                started.enrollment_key = line.enrollment_key
                and started.milestone_code = $origin_code
                and started.day >= line.start_day
                and (window_of.next_start is null or started.day < window_of.next_start)
        )
    ) as n_without_origin
from dim_enrollment as enrollment
inner join dim_line as line using (enrollment_key)
inner join window_of using (enrollment_key, line_number)
left join doubtful using (enrollment_key)
left join fct_time_to_event as outcome
    on
        outcome.enrollment_key = line.enrollment_key
        and outcome.line_number = line.line_number
        and outcome.endpoint_code = $endpoint_code
where list_contains($lines, line.entry_reason)
group by all
order by all
