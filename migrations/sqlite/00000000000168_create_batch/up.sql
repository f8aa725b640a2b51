CREATE TABLE IF NOT EXISTS batch (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    answers TEXT NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    CONSTRAINT batch_pkey PRIMARY KEY (id),
    CONSTRAINT batch_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
