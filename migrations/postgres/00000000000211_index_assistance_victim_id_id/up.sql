CREATE INDEX IF NOT EXISTS assistance_victim_id_id_idx ON assistance (bucket, victim_id, id);
