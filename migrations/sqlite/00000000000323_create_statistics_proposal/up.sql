CREATE TABLE IF NOT EXISTS statistics_proposal (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    period TEXT NOT NULL,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    at TEXT,
    skipped INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    agency_code TEXT,
    client_id BLOB,
    detail TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT statistics_proposal_pkey PRIMARY KEY (id),
    CONSTRAINT statistics_proposal_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
