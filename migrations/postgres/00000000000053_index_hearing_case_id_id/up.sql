CREATE INDEX IF NOT EXISTS hearing_case_id_id_idx ON hearing (bucket, case_id, id);
