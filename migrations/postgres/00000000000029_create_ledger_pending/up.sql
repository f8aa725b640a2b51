CREATE TABLE IF NOT EXISTS ledger_pending (
    bucket SMALLINT NOT NULL,
    entry_id UUID NOT NULL,
    CONSTRAINT ledger_pending_pkey PRIMARY KEY (bucket, entry_id),
    CONSTRAINT ledger_pending_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
