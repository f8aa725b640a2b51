CREATE TABLE IF NOT EXISTS assistance_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    assistance_id UUID NOT NULL,
    victim_id UUID NOT NULL,
    need TEXT NOT NULL,
    state TEXT NOT NULL,
    from_year SMALLINT,
    until_year SMALLINT,
    CONSTRAINT assistance_desk_pkey PRIMARY KEY (bucket, agency_code, assistance_id),
    CONSTRAINT assistance_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
