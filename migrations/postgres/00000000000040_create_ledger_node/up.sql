CREATE TABLE IF NOT EXISTS ledger_node (
    bucket SMALLINT NOT NULL,
    level SMALLINT NOT NULL,
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT ledger_node_pkey PRIMARY KEY (bucket, level, position),
    CONSTRAINT ledger_node_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
