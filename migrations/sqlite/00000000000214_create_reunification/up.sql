CREATE TABLE IF NOT EXISTS reunification (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    country TEXT NOT NULL,
    sponsor_code TEXT,
    consent_id BLOB,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT reunification_pkey PRIMARY KEY (id),
    CONSTRAINT reunification_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT reunification_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
