CREATE INDEX IF NOT EXISTS decision_case_id_id_idx ON decision (case_id, id);
