DROP INDEX IF EXISTS consent_victim_id_id_idx;
