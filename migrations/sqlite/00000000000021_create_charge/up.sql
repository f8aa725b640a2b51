CREATE TABLE IF NOT EXISTS charge (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    accused_id BLOB NOT NULL,
    offence_code TEXT NOT NULL,
    offence_version TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT charge_pkey PRIMARY KEY (id),
    CONSTRAINT charge_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT charge_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
