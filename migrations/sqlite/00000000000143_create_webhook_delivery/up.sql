CREATE TABLE IF NOT EXISTS webhook_delivery (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    duration_ms INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seen_to INTEGER NOT NULL,
    CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_delivery_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
