CREATE INDEX IF NOT EXISTS job_client_id_id_idx ON job (client_id, id);
