CREATE TABLE IF NOT EXISTS import_origin (
    bucket INTEGER NOT NULL,
    case_id BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    parts TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT import_origin_pkey PRIMARY KEY (case_id),
    CONSTRAINT import_origin_case_id_fkey FOREIGN KEY (case_id) REFERENCES case_file (id),
    CONSTRAINT import_origin_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
