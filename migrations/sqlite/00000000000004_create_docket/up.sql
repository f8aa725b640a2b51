CREATE TABLE IF NOT EXISTS docket (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    case_id BLOB NOT NULL,
    relation TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    stage TEXT NOT NULL,
    territory TEXT,
    exploitation TEXT NOT NULL,
    reported_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    sections TEXT NOT NULL,
    victim_ids TEXT,
    CONSTRAINT docket_pkey PRIMARY KEY (agency_code, case_id),
    CONSTRAINT docket_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
