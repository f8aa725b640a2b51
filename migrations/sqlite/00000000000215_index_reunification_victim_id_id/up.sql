CREATE INDEX IF NOT EXISTS reunification_victim_id_id_idx ON reunification (victim_id, id);
