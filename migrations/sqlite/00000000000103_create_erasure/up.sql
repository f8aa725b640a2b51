CREATE TABLE IF NOT EXISTS erasure (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    person_type TEXT NOT NULL,
    person_id BLOB NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB,
    updated_at TEXT NOT NULL,
    CONSTRAINT erasure_pkey PRIMARY KEY (id),
    CONSTRAINT erasure_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
