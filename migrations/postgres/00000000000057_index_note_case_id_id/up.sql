CREATE INDEX IF NOT EXISTS note_case_id_id_idx ON note (bucket, case_id, id);
