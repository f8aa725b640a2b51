CREATE TABLE IF NOT EXISTS webhook_delivery (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    attempt SMALLINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    outcome TEXT NOT NULL,
    status SMALLINT,
    duration_ms BIGINT NOT NULL,
    position BIGINT NOT NULL,
    seen_to BIGINT NOT NULL,
    CONSTRAINT webhook_delivery_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT webhook_delivery_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
