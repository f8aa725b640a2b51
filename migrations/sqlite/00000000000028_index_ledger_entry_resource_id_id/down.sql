DROP INDEX IF EXISTS ledger_entry_resource_id_id_idx;
