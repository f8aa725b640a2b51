CREATE TABLE IF NOT EXISTS hearing (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    scheduled_at TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT hearing_pkey PRIMARY KEY (id),
    CONSTRAINT hearing_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT hearing_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
