CREATE TABLE IF NOT EXISTS statistics_proposal (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    period TEXT NOT NULL,
    state TEXT NOT NULL,
    position BIGINT NOT NULL,
    at TIMESTAMPTZ,
    skipped BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    agency_code TEXT,
    client_id UUID,
    detail JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT statistics_proposal_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT statistics_proposal_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
