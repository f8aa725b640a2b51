CREATE TABLE IF NOT EXISTS deadline_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    case_id BLOB NOT NULL,
    limit_id TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    extended INTEGER NOT NULL,
    continuous INTEGER NOT NULL,
    CONSTRAINT deadline_desk_pkey PRIMARY KEY (agency_code, case_id, limit_id),
    CONSTRAINT deadline_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
