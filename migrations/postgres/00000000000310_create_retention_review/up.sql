CREATE TABLE IF NOT EXISTS retention_review (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id UUID NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT retention_review_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT retention_review_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
