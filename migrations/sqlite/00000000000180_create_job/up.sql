CREATE TABLE IF NOT EXISTS job (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    agency_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER,
    expires_at TEXT,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT job_pkey PRIMARY KEY (id),
    CONSTRAINT job_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
