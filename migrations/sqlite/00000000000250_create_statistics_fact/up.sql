CREATE TABLE IF NOT EXISTS statistics_fact (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    facts TEXT NOT NULL,
    CONSTRAINT statistics_fact_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_fact_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
