CREATE TABLE IF NOT EXISTS retention_review (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT retention_review_pkey PRIMARY KEY (id),
    CONSTRAINT retention_review_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
