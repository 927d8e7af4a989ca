-- kept_out: what was found wrong in rows of a patient that are in quarantine. Of the records file.
-- grain: one row per finding of severity error
-- params: source_id
select
    file.file_name,
    finding.source_row,
    finding.column_name,
    finding.message
from finding
inner join record_file as file using (file_number)
where
    finding.severity = 'error'
    and (finding.source_enrollment_id = $source_id or finding.raw_text = $source_id)
order by all
