CREATE INDEX IF NOT EXISTS erasure_person_id_id_idx ON erasure (bucket, person_id, id);
