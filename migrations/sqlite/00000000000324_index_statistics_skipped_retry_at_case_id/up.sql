CREATE INDEX IF NOT EXISTS statistics_skipped_retry_at_case_id_idx ON statistics_skipped (bucket, retry_at, case_id);
