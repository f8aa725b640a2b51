CREATE TABLE IF NOT EXISTS reunification_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    reunification_id BLOB NOT NULL,
    beneficiary_id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    country TEXT NOT NULL,
    state TEXT NOT NULL,
    reunited_year INTEGER,
    CONSTRAINT reunification_desk_pkey PRIMARY KEY (agency_code, reunification_id, beneficiary_id),
    CONSTRAINT reunification_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
