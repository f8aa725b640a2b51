CREATE TABLE IF NOT EXISTS proof_replay (
    bucket SMALLINT NOT NULL,
    proof_id UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT proof_replay_pkey PRIMARY KEY (bucket, proof_id),
    CONSTRAINT proof_replay_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
