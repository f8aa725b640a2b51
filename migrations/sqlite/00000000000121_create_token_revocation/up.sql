CREATE TABLE IF NOT EXISTS token_revocation (
    bucket INTEGER NOT NULL,
    token_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    revoked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CONSTRAINT token_revocation_pkey PRIMARY KEY (token_id),
    CONSTRAINT token_revocation_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
