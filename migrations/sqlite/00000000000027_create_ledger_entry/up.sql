CREATE TABLE IF NOT EXISTS ledger_entry (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    at TEXT NOT NULL,
    client_id BLOB,
    agency_code TEXT,
    user_ref TEXT,
    purpose TEXT,
    request_id BLOB NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    version INTEGER,
    payload TEXT,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_entry_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
