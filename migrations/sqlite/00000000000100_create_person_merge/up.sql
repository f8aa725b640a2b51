CREATE TABLE IF NOT EXISTS person_merge (
    bucket INTEGER NOT NULL,
    person_id BLOB NOT NULL,
    other_id BLOB NOT NULL,
    away INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    survivor_version INTEGER NOT NULL,
    identity_version INTEGER NOT NULL,
    at TEXT NOT NULL,
    agency_code TEXT NOT NULL,
    CONSTRAINT person_merge_pkey PRIMARY KEY (person_id, other_id),
    CONSTRAINT person_merge_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
