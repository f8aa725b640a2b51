CREATE TRIGGER IF NOT EXISTS ledger_entry_append_only_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
