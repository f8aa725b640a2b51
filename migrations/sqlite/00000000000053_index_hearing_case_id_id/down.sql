DROP INDEX IF EXISTS hearing_case_id_id_idx;
