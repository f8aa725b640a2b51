CREATE INDEX IF NOT EXISTS batch_created_at_idx ON batch (bucket, created_at);
