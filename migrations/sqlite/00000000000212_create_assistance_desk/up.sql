CREATE TABLE IF NOT EXISTS assistance_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    assistance_id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    need TEXT NOT NULL,
    state TEXT NOT NULL,
    from_year INTEGER,
    until_year INTEGER,
    CONSTRAINT assistance_desk_pkey PRIMARY KEY (agency_code, assistance_id),
    CONSTRAINT assistance_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
