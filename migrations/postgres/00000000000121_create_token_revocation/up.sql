CREATE TABLE IF NOT EXISTS token_revocation (
    bucket SMALLINT NOT NULL,
    token_id UUID NOT NULL,
    client_id UUID NOT NULL,
    revoked_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT token_revocation_pkey PRIMARY KEY (bucket, token_id),
    CONSTRAINT token_revocation_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
