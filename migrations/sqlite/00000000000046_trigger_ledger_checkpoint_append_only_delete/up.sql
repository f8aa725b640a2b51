CREATE TRIGGER IF NOT EXISTS ledger_checkpoint_append_only_delete BEFORE DELETE ON ledger_checkpoint BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
