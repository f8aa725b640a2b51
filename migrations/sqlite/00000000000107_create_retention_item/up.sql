CREATE TABLE IF NOT EXISTS retention_item (
    bucket INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    rule TEXT NOT NULL,
    class TEXT NOT NULL,
    action TEXT NOT NULL,
    due_on TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT retention_item_pkey PRIMARY KEY (subject_id, rule),
    CONSTRAINT retention_item_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
