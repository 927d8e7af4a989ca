-- load: the load that built the snapshot.
-- grain: one row
-- params: none
select
    study_code,
    mapping_code,
    data_cutoff,
    schema_version,
    rows_in,
    rows_loaded,
    rows_quarantined,
    rows_excluded,
    previous_snapshot_id,
    is_synthetic,
    loaded_at,
    program_version,
    definition
from load
inner join study using (study_code)
