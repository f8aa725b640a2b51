CREATE INDEX IF NOT EXISTS ledger_entry_read_resource_id_id_idx ON ledger_entry (bucket, resource_id, id) WHERE action = 'read';
