CREATE TABLE IF NOT EXISTS correction (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    record_type TEXT NOT NULL,
    record_id BLOB NOT NULL,
    from_agency TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT correction_pkey PRIMARY KEY (id),
    CONSTRAINT correction_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT correction_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
