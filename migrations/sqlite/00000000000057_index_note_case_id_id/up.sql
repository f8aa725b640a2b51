CREATE INDEX IF NOT EXISTS note_case_id_id_idx ON note (case_id, id);
