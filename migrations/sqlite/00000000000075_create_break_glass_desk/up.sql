CREATE TABLE IF NOT EXISTS break_glass_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    break_glass_id BLOB NOT NULL,
    reviewed INTEGER NOT NULL,
    CONSTRAINT break_glass_desk_pkey PRIMARY KEY (bucket, agency_code, break_glass_id),
    CONSTRAINT break_glass_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
