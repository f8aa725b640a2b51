CREATE TABLE IF NOT EXISTS ledger_node (
    bucket INTEGER NOT NULL,
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    CONSTRAINT ledger_node_pkey PRIMARY KEY (level, position),
    CONSTRAINT ledger_node_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
