CREATE TABLE IF NOT EXISTS statistics_skipped (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    since TEXT NOT NULL,
    tries INTEGER NOT NULL,
    retry_at TEXT NOT NULL,
    CONSTRAINT statistics_skipped_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_skipped_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
