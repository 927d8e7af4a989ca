-- block_courses: how many courses of a block the documented lines had.
-- grain: one row per cohort x kind of line x number of courses
-- params: population, block
select
    cohort_code,
    entry_reason,
    n_courses,
    count(*) as n
from fct_block as counted
where
    is_documented
    and block_code = $block
    and {population}
group by all
order by all
