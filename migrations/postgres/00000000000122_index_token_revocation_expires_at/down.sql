DROP INDEX IF EXISTS token_revocation_expires_at_idx;
