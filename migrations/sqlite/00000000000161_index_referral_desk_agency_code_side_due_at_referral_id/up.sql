CREATE INDEX IF NOT EXISTS referral_desk_agency_code_side_due_at_referral_id_idx ON referral_desk (agency_code, side, due_at, referral_id);
