CREATE TABLE IF NOT EXISTS idempotency (
    bucket INTEGER NOT NULL,
    client_id BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (client_id, key),
    CONSTRAINT idempotency_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
