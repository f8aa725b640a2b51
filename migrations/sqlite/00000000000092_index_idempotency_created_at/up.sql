CREATE INDEX IF NOT EXISTS idempotency_created_at_idx ON idempotency (bucket, created_at);
