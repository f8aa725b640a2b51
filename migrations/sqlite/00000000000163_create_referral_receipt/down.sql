DROP TABLE IF EXISTS referral_receipt;
