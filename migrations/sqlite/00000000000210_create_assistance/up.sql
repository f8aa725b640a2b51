CREATE TABLE IF NOT EXISTS assistance (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    need TEXT NOT NULL,
    state TEXT NOT NULL,
    provider_code TEXT,
    consent_id BLOB,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT assistance_pkey PRIMARY KEY (id),
    CONSTRAINT assistance_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT assistance_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
