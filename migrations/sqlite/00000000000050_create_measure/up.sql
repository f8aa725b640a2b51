CREATE TABLE IF NOT EXISTS measure (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    type_code TEXT NOT NULL,
    state TEXT NOT NULL,
    accused_id BLOB,
    victim_id BLOB,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT measure_pkey PRIMARY KEY (id),
    CONSTRAINT measure_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT measure_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
