CREATE TABLE IF NOT EXISTS event_lane (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    position INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entry_id BLOB NOT NULL,
    at TEXT NOT NULL,
    sealed_at TEXT NOT NULL,
    event_type TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    version INTEGER,
    gate TEXT NOT NULL,
    scope TEXT NOT NULL,
    case_id BLOB,
    person_id BLOB,
    CONSTRAINT event_lane_pkey PRIMARY KEY (agency_code, position, seq),
    CONSTRAINT event_lane_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
