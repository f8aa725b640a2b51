CREATE TABLE IF NOT EXISTS referral_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    referral_id UUID NOT NULL,
    case_id UUID NOT NULL,
    state TEXT NOT NULL,
    step TEXT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    told SMALLINT NOT NULL,
    next_at TIMESTAMPTZ,
    CONSTRAINT referral_desk_pkey PRIMARY KEY (bucket, agency_code, side, referral_id),
    CONSTRAINT referral_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
