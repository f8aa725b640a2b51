CREATE TABLE IF NOT EXISTS unique_claim (
    bucket SMALLINT NOT NULL,
    claim TEXT NOT NULL,
    owner_id UUID NOT NULL,
    CONSTRAINT unique_claim_pkey PRIMARY KEY (bucket, claim),
    CONSTRAINT unique_claim_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
