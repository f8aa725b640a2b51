CREATE TABLE IF NOT EXISTS victim (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT victim_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT victim_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
