CREATE TABLE IF NOT EXISTS person_index_ref (
    bucket INTEGER NOT NULL,
    person_id BLOB NOT NULL,
    tokens TEXT NOT NULL,
    CONSTRAINT person_index_ref_pkey PRIMARY KEY (person_id),
    CONSTRAINT person_index_ref_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
