DROP INDEX IF EXISTS break_glass_case_id_id_idx;
