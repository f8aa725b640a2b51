DROP TABLE IF EXISTS ledger_pending;
