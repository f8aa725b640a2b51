CREATE INDEX IF NOT EXISTS referral_case_id_id_idx ON referral (bucket, case_id, id);
