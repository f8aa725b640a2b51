DROP TABLE IF EXISTS referral_box;
