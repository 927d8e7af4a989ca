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
    and (
        lower(finding.raw_text) = lower($source_id)
        or regexp_full_match(
            lower(finding.source_enrollment_id),
            regexp_escape(lower($source_id)) || '([^[:alnum:]].*)?'
        )
    )
-- Rows that only miss their enrollment follow from another one.
order by
    finding.rule = 'no_enrollment',
    finding.file_number,
    finding.source_row
