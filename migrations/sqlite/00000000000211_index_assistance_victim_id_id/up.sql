CREATE INDEX IF NOT EXISTS assistance_victim_id_id_idx ON assistance (victim_id, id);
