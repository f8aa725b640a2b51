CREATE INDEX IF NOT EXISTS referral_receipt_referral_id_id_idx ON referral_receipt (referral_id, id);
