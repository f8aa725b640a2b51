DROP INDEX IF EXISTS job_queue_until_at_job_id_idx;
