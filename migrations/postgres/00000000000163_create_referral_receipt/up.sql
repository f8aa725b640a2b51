CREATE TABLE IF NOT EXISTS referral_receipt (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    referral_id UUID NOT NULL,
    event TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    detail JSONB NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    CONSTRAINT referral_receipt_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT referral_receipt_referral_id_fkey FOREIGN KEY (bucket, referral_id) REFERENCES referral (bucket, id),
    CONSTRAINT referral_receipt_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
