-- outcome: the one thing that became of each line of the population, for a table that adds to N.
-- grain: one row per cohort x kind of line x outcome x detail (site of a relapse) x late or not
-- params: population, endpoint_code (of kind states), lost_code
select
    counted.cohort_code,
    counted.entry_reason,
    case
        when ended.state is null and doubt.enrollment_key is not null then 'in_doubt'
        when ended.state is null then 'no_follow_up'
        when ended.state > 0 then ended.reason
        when response.response_code <> 'remission' or response.response_code is null
            then 'not_evaluable'
        when lost.enrollment_key is not null then 'lost'
        else 'alive_in_remission'
    end as outcome,
    case when ended.state > 0 then happened.detail_code end as detail_code,
    coalesce(response.is_late, false) as is_late,
    count(*) as n
from dim_population as counted
left join fct_response as response
    on
        response.enrollment_key = counted.enrollment_key
        and response.line_number = counted.line_number
        and response.is_default
left join fct_time_to_event as ended
    on
        ended.enrollment_key = counted.enrollment_key
        and ended.line_number = counted.line_number
        and ended.endpoint_code = $endpoint_code
left join fct_milestone as happened
    on
        happened.enrollment_key = counted.enrollment_key
        and happened.milestone_code = ended.reason
        and happened.day = ended.time_days + counted.start_day
left join (
    select distinct enrollment_key
    from fct_milestone
    where milestone_code = $lost_code
) as lost
    on lost.enrollment_key = counted.enrollment_key
left join (select distinct enrollment_key from fct_doubt) as doubt
    on doubt.enrollment_key = counted.enrollment_key
where {population}
group by all
order by all
