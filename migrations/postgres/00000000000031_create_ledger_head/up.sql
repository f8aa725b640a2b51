CREATE TABLE IF NOT EXISTS ledger_head (
    bucket SMALLINT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    CONSTRAINT ledger_head_pkey PRIMARY KEY (bucket, name),
    CONSTRAINT ledger_head_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
