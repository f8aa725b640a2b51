CREATE TRIGGER IF NOT EXISTS ledger_node_append_only_update BEFORE UPDATE ON ledger_node BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
