CREATE TABLE IF NOT EXISTS idempotency (
    bucket SMALLINT NOT NULL,
    client_id UUID NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource_id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (bucket, client_id, key),
    CONSTRAINT idempotency_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
