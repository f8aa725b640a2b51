CREATE TABLE IF NOT EXISTS erasure (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    person_type TEXT NOT NULL,
    person_id UUID NOT NULL,
    state TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT erasure_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT erasure_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
