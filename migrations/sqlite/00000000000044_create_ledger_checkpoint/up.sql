CREATE TABLE IF NOT EXISTS ledger_checkpoint (
    bucket INTEGER NOT NULL,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    at TEXT NOT NULL,
    note TEXT NOT NULL,
    CONSTRAINT ledger_checkpoint_pkey PRIMARY KEY (name, epoch, size),
    CONSTRAINT ledger_checkpoint_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
