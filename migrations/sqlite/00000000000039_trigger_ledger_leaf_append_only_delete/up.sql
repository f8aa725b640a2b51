CREATE TRIGGER IF NOT EXISTS ledger_leaf_append_only_delete BEFORE DELETE ON ledger_leaf BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
