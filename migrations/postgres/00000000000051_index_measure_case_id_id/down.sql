DROP INDEX IF EXISTS measure_case_id_id_idx;
