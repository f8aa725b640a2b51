CREATE INDEX IF NOT EXISTS measure_desk_agency_code_until_at_measure_id_idx ON measure_desk (bucket, agency_code, until_at, measure_id);
