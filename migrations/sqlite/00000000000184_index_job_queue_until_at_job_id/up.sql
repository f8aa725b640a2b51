CREATE INDEX IF NOT EXISTS job_queue_until_at_job_id_idx ON job_queue (until_at, job_id);
