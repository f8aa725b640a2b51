CREATE TABLE IF NOT EXISTS referral_desk (
    bucket INTEGER NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    referral_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    state TEXT NOT NULL,
    step TEXT NOT NULL,
    due_at TEXT NOT NULL,
    told INTEGER NOT NULL,
    next_at TEXT,
    CONSTRAINT referral_desk_pkey PRIMARY KEY (agency_code, side, referral_id),
    CONSTRAINT referral_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
