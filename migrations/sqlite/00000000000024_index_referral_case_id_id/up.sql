CREATE INDEX IF NOT EXISTS referral_case_id_id_idx ON referral (case_id, id);
