CREATE TABLE IF NOT EXISTS assistance (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    victim_id UUID NOT NULL,
    need TEXT NOT NULL,
    state TEXT NOT NULL,
    provider_code TEXT,
    consent_id UUID,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT assistance_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT assistance_victim_id_fkey FOREIGN KEY (bucket, victim_id) REFERENCES victim (bucket, id),
    CONSTRAINT assistance_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
