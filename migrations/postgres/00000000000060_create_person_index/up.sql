CREATE TABLE IF NOT EXISTS person_index (
    bucket SMALLINT NOT NULL,
    index_id SMALLINT NOT NULL,
    bidx BIGINT NOT NULL,
    person_id UUID NOT NULL,
    CONSTRAINT person_index_pkey PRIMARY KEY (bucket, index_id, bidx, person_id),
    CONSTRAINT person_index_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
