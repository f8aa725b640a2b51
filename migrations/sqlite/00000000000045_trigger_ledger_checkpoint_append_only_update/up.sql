CREATE TRIGGER IF NOT EXISTS ledger_checkpoint_append_only_update BEFORE UPDATE ON ledger_checkpoint BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
