CREATE INDEX IF NOT EXISTS retention_review_subject_id_id_idx ON retention_review (bucket, subject_id, id);
