DROP INDEX IF EXISTS job_expires_at_idx;
