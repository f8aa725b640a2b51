CREATE INDEX IF NOT EXISTS docket_agency_code_updated_at_case_id_idx ON docket (agency_code, updated_at, case_id);
