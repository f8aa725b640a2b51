CREATE INDEX IF NOT EXISTS consent_victim_id_id_idx ON consent (bucket, victim_id, id);
