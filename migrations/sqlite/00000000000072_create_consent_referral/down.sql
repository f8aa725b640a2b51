DROP TABLE IF EXISTS consent_referral;
