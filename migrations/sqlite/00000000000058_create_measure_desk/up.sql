CREATE TABLE IF NOT EXISTS measure_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    measure_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    until_at TEXT NOT NULL,
    CONSTRAINT measure_desk_pkey PRIMARY KEY (agency_code, measure_id),
    CONSTRAINT measure_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
