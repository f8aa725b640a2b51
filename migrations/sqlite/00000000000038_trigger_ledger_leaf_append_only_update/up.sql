CREATE TRIGGER IF NOT EXISTS ledger_leaf_append_only_update BEFORE UPDATE ON ledger_leaf BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
