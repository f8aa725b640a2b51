CREATE TABLE IF NOT EXISTS statistics_fact (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    position BIGINT NOT NULL,
    facts JSONB NOT NULL,
    CONSTRAINT statistics_fact_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_fact_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
