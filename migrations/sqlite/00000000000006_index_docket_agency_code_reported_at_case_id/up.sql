CREATE INDEX IF NOT EXISTS docket_agency_code_reported_at_case_id_idx ON docket (agency_code, reported_at, case_id);
