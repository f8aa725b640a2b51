CREATE TABLE IF NOT EXISTS person_index_ref (
    bucket SMALLINT NOT NULL,
    person_id UUID NOT NULL,
    tokens JSONB NOT NULL,
    CONSTRAINT person_index_ref_pkey PRIMARY KEY (bucket, person_id),
    CONSTRAINT person_index_ref_bucket_check CHECK (bucket = (((get_byte(uuid_send(person_id), 6) & 15) << 8) | get_byte(uuid_send(person_id), 7)))
);
