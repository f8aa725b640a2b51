CREATE TABLE IF NOT EXISTS statistics_member (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    period TEXT NOT NULL,
    CONSTRAINT statistics_member_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_member_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
