CREATE TABLE IF NOT EXISTS reunification_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    reunification_id UUID NOT NULL,
    beneficiary_id UUID NOT NULL,
    victim_id UUID NOT NULL,
    country TEXT NOT NULL,
    state TEXT NOT NULL,
    reunited_year SMALLINT,
    CONSTRAINT reunification_desk_pkey PRIMARY KEY (bucket, agency_code, reunification_id, beneficiary_id),
    CONSTRAINT reunification_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
