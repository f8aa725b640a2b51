CREATE INDEX IF NOT EXISTS referral_box_agency_code_side_updated_at_referral_id_idx ON referral_box (bucket, agency_code, side, updated_at, referral_id);
