DROP INDEX IF EXISTS retention_review_subject_id_id_idx;
