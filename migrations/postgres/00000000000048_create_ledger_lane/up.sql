CREATE TABLE IF NOT EXISTS ledger_lane (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    entry_id UUID NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT ledger_lane_pkey PRIMARY KEY (bucket, agency_code, entry_id),
    CONSTRAINT ledger_lane_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
