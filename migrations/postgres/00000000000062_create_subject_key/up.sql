CREATE TABLE IF NOT EXISTS subject_key (
    bucket SMALLINT NOT NULL,
    subject_id UUID NOT NULL,
    wrapped TEXT,
    kek_id TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    destroyed_at TIMESTAMPTZ,
    CONSTRAINT subject_key_pkey PRIMARY KEY (bucket, subject_id),
    CONSTRAINT subject_key_bucket_check CHECK (bucket = (((get_byte(uuid_send(subject_id), 6) & 15) << 8) | get_byte(uuid_send(subject_id), 7)))
);
