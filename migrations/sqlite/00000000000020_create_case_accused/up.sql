CREATE TABLE IF NOT EXISTS case_accused (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    accused_id BLOB NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT case_accused_pkey PRIMARY KEY (case_id, accused_id),
    CONSTRAINT case_accused_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT case_accused_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
