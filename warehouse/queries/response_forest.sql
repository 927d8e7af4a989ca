-- response_forest: responses at the landmark of every level of several characteristics, in one pass.
-- grain: one row per cohort x kind of line x set of characteristics x level x response x started
-- params: population, definition, levels (columns), sets (one grouping set a characteristic)
-- `mask` says which characteristic the row is of: the bit of its column is 0.
select
    cohort_code,
    entry_reason,
    grouping({levels}) as mask,
    {levels},
    response_code as class,
    has_started as is_reached,
    count(*) as n
from fct_response as counted
where
    definition_code = $definition
    and {population}
group by grouping sets ({sets})
order by all
