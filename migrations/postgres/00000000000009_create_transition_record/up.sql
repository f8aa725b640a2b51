CREATE TABLE IF NOT EXISTS transition_record (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id UUID NOT NULL,
    trigger_code TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    agency_code TEXT NOT NULL,
    client_id UUID NOT NULL,
    CONSTRAINT transition_record_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT transition_record_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
