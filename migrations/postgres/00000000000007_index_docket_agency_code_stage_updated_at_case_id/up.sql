CREATE INDEX IF NOT EXISTS docket_agency_code_stage_updated_at_case_id_idx ON docket (bucket, agency_code, stage, updated_at, case_id);
