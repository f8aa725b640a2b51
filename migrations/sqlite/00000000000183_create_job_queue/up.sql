CREATE TABLE IF NOT EXISTS job_queue (
    bucket INTEGER NOT NULL,
    job_id BLOB NOT NULL,
    holder TEXT NOT NULL,
    until_at TEXT NOT NULL,
    token INTEGER NOT NULL,
    CONSTRAINT job_queue_pkey PRIMARY KEY (job_id),
    CONSTRAINT job_queue_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
