CREATE TABLE IF NOT EXISTS unique_claim (
    bucket INTEGER NOT NULL,
    claim TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    CONSTRAINT unique_claim_pkey PRIMARY KEY (claim),
    CONSTRAINT unique_claim_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
