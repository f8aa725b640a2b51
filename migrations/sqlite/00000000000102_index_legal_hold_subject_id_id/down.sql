DROP INDEX IF EXISTS legal_hold_subject_id_id_idx;
