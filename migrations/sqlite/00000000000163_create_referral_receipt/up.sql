CREATE TABLE IF NOT EXISTS referral_receipt (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    referral_id BLOB NOT NULL,
    event TEXT NOT NULL,
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    CONSTRAINT referral_receipt_pkey PRIMARY KEY (id),
    CONSTRAINT referral_receipt_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referral (id),
    CONSTRAINT referral_receipt_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
