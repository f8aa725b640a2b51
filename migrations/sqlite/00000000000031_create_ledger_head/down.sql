DROP TABLE IF EXISTS ledger_head;
