DROP INDEX IF EXISTS batch_created_at_idx;
