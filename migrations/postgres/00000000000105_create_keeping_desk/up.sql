CREATE TABLE IF NOT EXISTS keeping_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource_id UUID NOT NULL,
    open BOOLEAN NOT NULL,
    CONSTRAINT keeping_desk_pkey PRIMARY KEY (bucket, agency_code, kind, resource_id),
    CONSTRAINT keeping_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
