CREATE TABLE IF NOT EXISTS proof_replay (
    bucket INTEGER NOT NULL,
    proof_id BLOB NOT NULL,
    expires_at TEXT NOT NULL,
    CONSTRAINT proof_replay_pkey PRIMARY KEY (proof_id),
    CONSTRAINT proof_replay_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
