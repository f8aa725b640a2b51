CREATE TABLE IF NOT EXISTS ledger_leaf (
    bucket SMALLINT NOT NULL,
    position BIGINT NOT NULL,
    entry_bucket SMALLINT NOT NULL,
    entry_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT ledger_leaf_pkey PRIMARY KEY (bucket, position),
    CONSTRAINT ledger_leaf_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
