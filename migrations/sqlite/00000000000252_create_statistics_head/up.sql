CREATE TABLE IF NOT EXISTS statistics_head (
    bucket INTEGER NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    at TEXT,
    CONSTRAINT statistics_head_pkey PRIMARY KEY (bucket, name),
    CONSTRAINT statistics_head_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
