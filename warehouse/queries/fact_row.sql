-- fact_row: the rows of the export that told of each enrollment. Of the records file: for clinicians.
-- grain: one row per row of the export x table x enrollment
-- params: enrollment_keys
select
    fact.enrollment_key,
    file.file_name,
    fact.source_row,
    fact.table_name,
    fact.item_code
from record_fact as fact
inner join record_file as file using (file_number)
where list_contains($enrollment_keys, fact.enrollment_key)
order by all
