CREATE TABLE IF NOT EXISTS ledger_leaf (
    bucket INTEGER NOT NULL,
    position INTEGER NOT NULL,
    entry_bucket INTEGER NOT NULL,
    entry_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    CONSTRAINT ledger_leaf_pkey PRIMARY KEY (position),
    CONSTRAINT ledger_leaf_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
