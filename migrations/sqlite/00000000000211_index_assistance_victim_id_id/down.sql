DROP INDEX IF EXISTS assistance_victim_id_id_idx;
