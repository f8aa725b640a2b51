CREATE INDEX IF NOT EXISTS job_expires_at_idx ON job (bucket, expires_at);
