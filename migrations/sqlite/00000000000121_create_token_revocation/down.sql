DROP TABLE IF EXISTS token_revocation;
