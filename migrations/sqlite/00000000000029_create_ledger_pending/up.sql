CREATE TABLE IF NOT EXISTS ledger_pending (
    bucket INTEGER NOT NULL,
    entry_id BLOB NOT NULL,
    CONSTRAINT ledger_pending_pkey PRIMARY KEY (entry_id),
    CONSTRAINT ledger_pending_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
