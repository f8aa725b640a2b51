CREATE TABLE IF NOT EXISTS consent (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    agency_code TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at TEXT,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT consent_pkey PRIMARY KEY (id),
    CONSTRAINT consent_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT consent_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
