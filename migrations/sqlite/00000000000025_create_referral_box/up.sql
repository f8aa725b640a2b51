CREATE TABLE IF NOT EXISTS referral_box (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    referral_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    state TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT referral_box_pkey PRIMARY KEY (agency_code, side, referral_id),
    CONSTRAINT referral_box_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
