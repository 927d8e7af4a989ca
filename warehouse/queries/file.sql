-- file: the files of the load and what became of their rows.
-- grain: one row per table of the export and source that reads it
-- params: none
select
    file_number,
    source_code,
    rows_in,
    rows_loaded,
    rows_quarantined,
    rows_excluded,
    is_enrolling
from file
order by file_number
