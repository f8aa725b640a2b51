CREATE INDEX IF NOT EXISTS job_client_id_id_idx ON job (bucket, client_id, id);
