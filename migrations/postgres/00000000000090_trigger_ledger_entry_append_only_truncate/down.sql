DROP TRIGGER IF EXISTS ledger_entry_append_only_truncate ON ledger_entry;
