-- later_timepoint: how the lines of a population end an endpoint, by the class of MRD known by a day.
-- grain: one row per cohort x kind of line x day x state x reason x class x in doubt
-- params: population, endpoint_code, timepoint_code, threshold, day (from the origin)
-- The last sample in the window of the time point that was taken by the day: what is known then must
-- not depend on a later sample, which only those have who lived to it. So the anchor of the window
-- has come by then, too. Of two samples on one day the method that the study prefers counts.
with

line as (
    select
        counted.enrollment_key,
        counted.line_number,
        counted.cohort_code,
        counted.entry_reason,
        counted.time_days,
        counted.state,
        counted.reason,
        counted.origin_day + $day as landmark_day,
        standing.sample_day,
        coalesce(standing.status = 'in_doubt', false) as is_in_doubt
    from fct_time_to_event as counted
    left join fct_response_sample as standing
        on
            standing.enrollment_key = counted.enrollment_key
            and standing.line_number = counted.line_number
            and standing.timepoint_code = $timepoint_code
    where
        counted.endpoint_code = $endpoint_code
        and {population}
),

-- The one that stands for the time point is the last of its window: none after it counts.
anchored as (
    select
        line.enrollment_key,
        line.line_number,
        rule.material_code,
        rule.measure_code,
        coalesce(course.start_day, happened.day) + point.from_day as first_day,
        least(line.landmark_day, line.sample_day) as last_day
    from line
    inner join dim_response_rule as rule using (entry_reason)
    inner join dim_timepoint as point on point.timepoint_code = $timepoint_code
    left join fct_course as course
        on
            course.enrollment_key = line.enrollment_key
            and course.line_number = line.line_number
            and course.block_code = coalesce(point.after_block, point.before_block)
            and course.course_number = 1
    left join fct_milestone as happened
        on
            happened.enrollment_key = line.enrollment_key
            and happened.milestone_code = point.before_milestone
            and happened.instance = 1
    where
        line.sample_day is not null
        and coalesce(course.start_day, happened.day) <= line.landmark_day
),

known as (
    select
        anchored.enrollment_key,
        anchored.line_number,
        arg_max(
            struct_pack(
                qualifier := taken.qualifier,
                value := taken.value,
                lod := taken.lod,
                loq := taken.loq
            ),
            struct_pack(day := taken.sample_day, rank := -coalesce(method.position, 1000))
        ) as chosen
    from anchored
    inner join fct_assessment as taken
        on
            taken.enrollment_key = anchored.enrollment_key
            and (
                anchored.material_code is null
                or taken.material_code = anchored.material_code
            )
            and taken.measure_code = anchored.measure_code
            and taken.sample_day between anchored.first_day and anchored.last_day
            and taken.qualifier is not null
    left join dim_method as method using (method_code)
    group by anchored.enrollment_key, anchored.line_number
),

sampled as (
    select
        line.cohort_code,
        line.entry_reason,
        line.time_days,
        line.state,
        line.reason,
        line.is_in_doubt,
        if(known.chosen is null, 'not_sampled', 'sampled') as status,
        known.chosen.qualifier as qualifier,
        known.chosen.value as value,
        known.chosen.lod as lod,
        known.chosen.loq as loq
    from line
    left join known using (enrollment_key, line_number)
)

select
    cohort_code,
    entry_reason,
    time_days,
    state,
    reason,
    {class of threshold} as class,
    is_in_doubt,
    count(*) as n
from sampled
group by all
order by all
