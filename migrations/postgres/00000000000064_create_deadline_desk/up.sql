CREATE TABLE IF NOT EXISTS deadline_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    case_id UUID NOT NULL,
    limit_id TEXT NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    extended BOOLEAN NOT NULL,
    continuous BOOLEAN NOT NULL,
    CONSTRAINT deadline_desk_pkey PRIMARY KEY (bucket, agency_code, case_id, limit_id),
    CONSTRAINT deadline_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
