CREATE INDEX IF NOT EXISTS proof_replay_expires_at_idx ON proof_replay (bucket, expires_at);
