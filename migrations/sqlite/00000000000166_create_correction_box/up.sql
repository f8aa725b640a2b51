CREATE TABLE IF NOT EXISTS correction_box (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    open INTEGER NOT NULL,
    correction_id BLOB NOT NULL,
    CONSTRAINT correction_box_pkey PRIMARY KEY (agency_code, side, correction_id),
    CONSTRAINT correction_box_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
