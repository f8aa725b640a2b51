DROP INDEX IF EXISTS note_case_id_id_idx;
