CREATE INDEX IF NOT EXISTS ledger_entry_resource_id_id_read_idx ON ledger_entry (resource_id, id) WHERE action = 'read';
