CREATE TABLE IF NOT EXISTS victim (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT victim_pkey PRIMARY KEY (id),
    CONSTRAINT victim_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
