DROP TRIGGER IF EXISTS ledger_entry_append_only_update ON ledger_entry;
