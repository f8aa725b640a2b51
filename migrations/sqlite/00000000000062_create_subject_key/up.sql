CREATE TABLE IF NOT EXISTS subject_key (
    bucket INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    wrapped TEXT,
    kek_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    destroyed_at TEXT,
    CONSTRAINT subject_key_pkey PRIMARY KEY (subject_id),
    CONSTRAINT subject_key_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
