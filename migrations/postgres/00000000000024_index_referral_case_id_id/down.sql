DROP INDEX IF EXISTS referral_case_id_id_idx;
