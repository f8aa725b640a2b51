CREATE TABLE IF NOT EXISTS ledger_lane (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    entry_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT ledger_lane_pkey PRIMARY KEY (agency_code, entry_id),
    CONSTRAINT ledger_lane_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
