CREATE INDEX IF NOT EXISTS reunification_victim_id_id_idx ON reunification (bucket, victim_id, id);
