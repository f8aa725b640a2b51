CREATE TRIGGER IF NOT EXISTS ledger_node_append_only_delete BEFORE DELETE ON ledger_node BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
