DROP INDEX IF EXISTS erasure_person_id_id_idx;
