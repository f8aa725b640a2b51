CREATE TABLE IF NOT EXISTS glass_open (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    case_id UUID NOT NULL,
    break_glass_id UUID NOT NULL,
    sections TEXT NOT NULL,
    until_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT glass_open_pkey PRIMARY KEY (bucket, agency_code, case_id, break_glass_id),
    CONSTRAINT glass_open_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
