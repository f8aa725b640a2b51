CREATE TABLE IF NOT EXISTS programme (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    from_year INTEGER NOT NULL,
    until_year INTEGER NOT NULL,
    tags TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT programme_pkey PRIMARY KEY (id),
    CONSTRAINT programme_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
