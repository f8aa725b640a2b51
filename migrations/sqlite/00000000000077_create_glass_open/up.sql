CREATE TABLE IF NOT EXISTS glass_open (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    case_id BLOB NOT NULL,
    break_glass_id BLOB NOT NULL,
    sections TEXT NOT NULL,
    until_at TEXT NOT NULL,
    CONSTRAINT glass_open_pkey PRIMARY KEY (bucket, agency_code, case_id, break_glass_id),
    CONSTRAINT glass_open_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
