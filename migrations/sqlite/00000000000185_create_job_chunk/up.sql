CREATE TABLE IF NOT EXISTS job_chunk (
    bucket INTEGER NOT NULL,
    job_id BLOB NOT NULL,
    file TEXT NOT NULL,
    seq INTEGER NOT NULL,
    content BLOB NOT NULL,
    CONSTRAINT job_chunk_pkey PRIMARY KEY (job_id, file, seq),
    CONSTRAINT job_chunk_job_id_fkey FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT job_chunk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
