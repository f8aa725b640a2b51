CREATE INDEX IF NOT EXISTS assertion_replay_expires_at_idx ON assertion_replay (bucket, expires_at);
