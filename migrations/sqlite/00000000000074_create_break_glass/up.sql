CREATE TABLE IF NOT EXISTS break_glass (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    agency_code TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    state TEXT NOT NULL,
    until_at TEXT,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT break_glass_pkey PRIMARY KEY (id),
    CONSTRAINT break_glass_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT break_glass_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
