DROP INDEX IF EXISTS referral_receipt_referral_id_id_idx;
