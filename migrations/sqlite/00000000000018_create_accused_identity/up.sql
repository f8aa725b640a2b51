CREATE TABLE IF NOT EXISTS accused_identity (
    bucket INTEGER NOT NULL,
    accused_id BLOB NOT NULL,
    content TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT accused_identity_pkey PRIMARY KEY (accused_id),
    CONSTRAINT accused_identity_accused_id_fkey FOREIGN KEY (accused_id) REFERENCES accused (id),
    CONSTRAINT accused_identity_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
