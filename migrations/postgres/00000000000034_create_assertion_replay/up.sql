CREATE TABLE IF NOT EXISTS assertion_replay (
    bucket SMALLINT NOT NULL,
    client_id UUID NOT NULL,
    jti TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT assertion_replay_pkey PRIMARY KEY (bucket, client_id, jti),
    CONSTRAINT assertion_replay_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
