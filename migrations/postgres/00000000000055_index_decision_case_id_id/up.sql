CREATE INDEX IF NOT EXISTS decision_case_id_id_idx ON decision (bucket, case_id, id);
