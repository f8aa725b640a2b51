CREATE TABLE IF NOT EXISTS statistics_past (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    facts TEXT NOT NULL,
    CONSTRAINT statistics_past_pkey PRIMARY KEY (bucket, case_id, position),
    CONSTRAINT statistics_past_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
