CREATE TABLE IF NOT EXISTS import_origin (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    parts JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT import_origin_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT import_origin_case_id_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file (bucket, id),
    CONSTRAINT import_origin_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
