-- finding: every finding of the load with its cell, for clinicians.
-- grain: one row per finding
-- params: none
select
    file.file_name,
    finding.source_row,
    finding.column_name,
    finding.raw_text,
    finding.severity,
    finding.rule,
    finding.message
from finding
inner join record_file as file using (file_number)
order by
    list_position(['error', 'warning', 'repair', 'info'], finding.severity),
    finding.finding_number
