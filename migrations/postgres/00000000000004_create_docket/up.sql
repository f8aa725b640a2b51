CREATE TABLE IF NOT EXISTS docket (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    case_id UUID NOT NULL,
    relation TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    stage TEXT NOT NULL,
    territory TEXT,
    exploitation TEXT NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    sections TEXT NOT NULL,
    victim_ids JSONB,
    CONSTRAINT docket_pkey PRIMARY KEY (bucket, agency_code, case_id),
    CONSTRAINT docket_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
