CREATE TABLE IF NOT EXISTS person_index (
    bucket INTEGER NOT NULL,
    index_id INTEGER NOT NULL,
    bidx INTEGER NOT NULL,
    person_id BLOB NOT NULL,
    CONSTRAINT person_index_pkey PRIMARY KEY (index_id, bidx, person_id),
    CONSTRAINT person_index_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
