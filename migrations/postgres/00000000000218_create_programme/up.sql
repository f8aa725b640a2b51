CREATE TABLE IF NOT EXISTS programme (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    from_year SMALLINT NOT NULL,
    until_year SMALLINT NOT NULL,
    tags TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT programme_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT programme_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
