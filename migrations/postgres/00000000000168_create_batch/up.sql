CREATE TABLE IF NOT EXISTS batch (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    answers JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    CONSTRAINT batch_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT batch_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
