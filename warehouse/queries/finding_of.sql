-- finding_of: every finding of the load with its cell and whose row it is, for comparing two loads.
-- grain: one row per finding
-- params: none
select
    file.file_name,
    finding.source_enrollment_id,
    finding.column_name,
    finding.rule,
    finding.raw_text,
    finding.severity,
    finding.source_row,
    finding.message
from finding
inner join record_file as file using (file_number)
order by finding.finding_number
