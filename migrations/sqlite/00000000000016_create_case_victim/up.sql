CREATE TABLE IF NOT EXISTS case_victim (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT case_victim_pkey PRIMARY KEY (case_id, victim_id),
    CONSTRAINT case_victim_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT case_victim_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
