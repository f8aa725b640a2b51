CREATE TABLE IF NOT EXISTS job (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    client_id UUID NOT NULL,
    agency_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    expires_at TIMESTAMPTZ,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT job_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT job_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
