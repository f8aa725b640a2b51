DROP INDEX IF EXISTS charge_case_id_id_idx;
