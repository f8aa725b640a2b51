CREATE INDEX IF NOT EXISTS transition_record_resource_id_id_idx ON transition_record (bucket, resource_id, id);
