CREATE TABLE IF NOT EXISTS ledger_checkpoint (
    bucket SMALLINT NOT NULL,
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    note TEXT NOT NULL,
    CONSTRAINT ledger_checkpoint_pkey PRIMARY KEY (bucket, name, epoch, size),
    CONSTRAINT ledger_checkpoint_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
