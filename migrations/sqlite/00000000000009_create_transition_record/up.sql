CREATE TABLE IF NOT EXISTS transition_record (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    trigger_code TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    agency_code TEXT NOT NULL,
    client_id BLOB NOT NULL,
    CONSTRAINT transition_record_pkey PRIMARY KEY (id),
    CONSTRAINT transition_record_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
