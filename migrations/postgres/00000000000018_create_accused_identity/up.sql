CREATE TABLE IF NOT EXISTS accused_identity (
    bucket SMALLINT NOT NULL,
    accused_id UUID NOT NULL,
    content JSONB NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT accused_identity_pkey PRIMARY KEY (bucket, accused_id),
    CONSTRAINT accused_identity_accused_id_fkey FOREIGN KEY (bucket, accused_id) REFERENCES accused (bucket, id),
    CONSTRAINT accused_identity_bucket_check CHECK (bucket = (((get_byte(uuid_send(accused_id), 6) & 15) << 8) | get_byte(uuid_send(accused_id), 7)))
);
