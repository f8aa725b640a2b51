CREATE INDEX IF NOT EXISTS token_revocation_expires_at_idx ON token_revocation (bucket, expires_at);
