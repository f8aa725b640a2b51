DROP TABLE IF EXISTS ledger_checkpoint;
