DROP INDEX IF EXISTS job_client_id_id_idx;
