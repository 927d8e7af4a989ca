-- era_block: lines that started a block, by year of enrollment.
-- grain: one row per cohort x kind of line x year with such a line
-- params: population, block_code
select
    counted.cohort_code,
    counted.entry_reason,
    enrollment.enrollment_year,
    count(*) as n
from fct_block as counted
inner join dim_enrollment as enrollment using (enrollment_key)
where
    counted.block_code = $block_code
    and {population}
group by all
order by all
