CREATE TABLE IF NOT EXISTS ledger_head (
    bucket INTEGER NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    CONSTRAINT ledger_head_pkey PRIMARY KEY (name),
    CONSTRAINT ledger_head_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
