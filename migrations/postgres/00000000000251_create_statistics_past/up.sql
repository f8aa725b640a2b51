CREATE TABLE IF NOT EXISTS statistics_past (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    position BIGINT NOT NULL,
    facts JSONB NOT NULL,
    CONSTRAINT statistics_past_pkey PRIMARY KEY (bucket, case_id, position),
    CONSTRAINT statistics_past_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
