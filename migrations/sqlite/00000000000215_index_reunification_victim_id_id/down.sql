DROP INDEX IF EXISTS reunification_victim_id_id_idx;
