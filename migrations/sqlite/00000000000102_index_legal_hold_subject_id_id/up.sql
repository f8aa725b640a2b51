CREATE INDEX IF NOT EXISTS legal_hold_subject_id_id_idx ON legal_hold (bucket, subject_id, id);
