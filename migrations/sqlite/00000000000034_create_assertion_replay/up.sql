CREATE TABLE IF NOT EXISTS assertion_replay (
    bucket INTEGER NOT NULL,
    client_id BLOB NOT NULL,
    jti TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CONSTRAINT assertion_replay_pkey PRIMARY KEY (client_id, jti),
    CONSTRAINT assertion_replay_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
