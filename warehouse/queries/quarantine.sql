-- quarantine: every row kept out, as it stood in the export, for clinicians.
-- grain: one row per quarantined row
-- params: none
select
    file.file_name,
    quarantine.source_row,
    quarantine.row_text
from quarantine
inner join record_file as file using (file_number)
order by quarantine.file_number, quarantine.source_row
