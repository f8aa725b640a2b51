CREATE TABLE IF NOT EXISTS legal_hold (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    active INTEGER NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT legal_hold_pkey PRIMARY KEY (id),
    CONSTRAINT legal_hold_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
