CREATE TABLE IF NOT EXISTS statistics_skipped (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    tries BIGINT NOT NULL,
    retry_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT statistics_skipped_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_skipped_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
