CREATE TABLE IF NOT EXISTS measure_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    measure_id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    until_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT measure_desk_pkey PRIMARY KEY (bucket, agency_code, measure_id),
    CONSTRAINT measure_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
