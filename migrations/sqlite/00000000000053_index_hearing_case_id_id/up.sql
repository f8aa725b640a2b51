CREATE INDEX IF NOT EXISTS hearing_case_id_id_idx ON hearing (case_id, id);
