DROP INDEX IF EXISTS idempotency_created_at_idx;
