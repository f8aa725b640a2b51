CREATE TABLE IF NOT EXISTS statistics_head (
    bucket SMALLINT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    at TIMESTAMPTZ,
    CONSTRAINT statistics_head_pkey PRIMARY KEY (bucket, name),
    CONSTRAINT statistics_head_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
