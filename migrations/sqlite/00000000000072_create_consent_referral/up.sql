CREATE TABLE IF NOT EXISTS consent_referral (
    bucket INTEGER NOT NULL,
    consent_id BLOB NOT NULL,
    referral_id BLOB NOT NULL,
    CONSTRAINT consent_referral_pkey PRIMARY KEY (consent_id, referral_id),
    CONSTRAINT consent_referral_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent (id)
) STRICT;
