CREATE TABLE IF NOT EXISTS job_queue (
    bucket SMALLINT NOT NULL,
    job_id UUID NOT NULL,
    holder TEXT NOT NULL,
    until_at TIMESTAMPTZ NOT NULL,
    token BIGINT NOT NULL,
    CONSTRAINT job_queue_pkey PRIMARY KEY (bucket, job_id),
    CONSTRAINT job_queue_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
