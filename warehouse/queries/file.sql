-- file: the files of the load and what became of their rows.
-- grain: one row per file
-- params: none
select file_number, source_code, rows_in, rows_loaded, rows_quarantined, is_enrolling
from file
order by file_number
