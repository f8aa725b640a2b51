CREATE TABLE IF NOT EXISTS consent_referral (
    bucket SMALLINT NOT NULL,
    consent_id UUID NOT NULL,
    referral_id UUID NOT NULL,
    CONSTRAINT consent_referral_pkey PRIMARY KEY (bucket, consent_id, referral_id),
    CONSTRAINT consent_referral_consent_id_fkey FOREIGN KEY (bucket, consent_id) REFERENCES consent (bucket, id)
);
