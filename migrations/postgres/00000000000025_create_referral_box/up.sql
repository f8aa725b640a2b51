CREATE TABLE IF NOT EXISTS referral_box (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    side TEXT NOT NULL,
    referral_id UUID NOT NULL,
    case_id UUID NOT NULL,
    state TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT referral_box_pkey PRIMARY KEY (bucket, agency_code, side, referral_id),
    CONSTRAINT referral_box_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
