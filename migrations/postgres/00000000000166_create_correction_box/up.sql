CREATE TABLE IF NOT EXISTS correction_box (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    open BOOLEAN NOT NULL,
    correction_id UUID NOT NULL,
    CONSTRAINT correction_box_pkey PRIMARY KEY (bucket, agency_code, side, correction_id),
    CONSTRAINT correction_box_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
