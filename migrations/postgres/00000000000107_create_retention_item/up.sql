CREATE TABLE IF NOT EXISTS retention_item (
    bucket SMALLINT NOT NULL,
    subject_id UUID NOT NULL,
    rule TEXT NOT NULL,
    class TEXT NOT NULL,
    action TEXT NOT NULL,
    due_on TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT retention_item_pkey PRIMARY KEY (bucket, subject_id, rule),
    CONSTRAINT retention_item_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
