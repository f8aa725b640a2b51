CREATE INDEX IF NOT EXISTS deadline_desk_agency_code_due_at_case_id_idx ON deadline_desk (agency_code, due_at, case_id, limit_id);
