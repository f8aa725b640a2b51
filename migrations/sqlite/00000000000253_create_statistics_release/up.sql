CREATE TABLE IF NOT EXISTS statistics_release (
    bucket INTEGER NOT NULL,
    period TEXT NOT NULL,
    id BLOB NOT NULL,
    position INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    published_at TEXT NOT NULL,
    agency_code TEXT,
    content TEXT NOT NULL,
    CONSTRAINT statistics_release_pkey PRIMARY KEY (bucket, period),
    CONSTRAINT statistics_release_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
