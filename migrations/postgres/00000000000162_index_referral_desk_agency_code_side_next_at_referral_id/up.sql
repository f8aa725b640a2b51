CREATE INDEX IF NOT EXISTS referral_desk_agency_code_side_next_at_referral_id_idx ON referral_desk (bucket, agency_code, side, next_at, referral_id);
