DROP INDEX IF EXISTS care_process_victim_id_id_idx;
