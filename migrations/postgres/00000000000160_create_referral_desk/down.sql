DROP TABLE IF EXISTS referral_desk;
