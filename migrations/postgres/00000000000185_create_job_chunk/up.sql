CREATE TABLE IF NOT EXISTS job_chunk (
    bucket SMALLINT NOT NULL,
    job_id UUID NOT NULL,
    file TEXT NOT NULL,
    seq BIGINT NOT NULL,
    content BYTEA NOT NULL,
    CONSTRAINT job_chunk_pkey PRIMARY KEY (bucket, job_id, file, seq),
    CONSTRAINT job_chunk_job_id_fkey FOREIGN KEY (bucket, job_id) REFERENCES job (bucket, id),
    CONSTRAINT job_chunk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
