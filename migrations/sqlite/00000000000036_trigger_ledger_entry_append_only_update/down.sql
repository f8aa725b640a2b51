DROP TRIGGER IF EXISTS ledger_entry_append_only_update;
