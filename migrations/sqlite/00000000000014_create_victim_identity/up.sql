CREATE TABLE IF NOT EXISTS victim_identity (
    bucket INTEGER NOT NULL,
    victim_id BLOB NOT NULL,
    content TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT victim_identity_pkey PRIMARY KEY (victim_id),
    CONSTRAINT victim_identity_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT victim_identity_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
