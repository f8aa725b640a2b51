DROP INDEX IF EXISTS decision_case_id_id_idx;
