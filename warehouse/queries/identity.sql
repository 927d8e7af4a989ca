-- identity: who is who. Of the records file: for clinicians.
-- grain: one row per enrollment
-- params: none
select
    enrollment_key,
    source_patient_id,
    origin_date
from record_enrollment
order by source_patient_id, enrollment_key
