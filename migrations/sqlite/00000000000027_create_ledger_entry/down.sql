DROP TABLE IF EXISTS ledger_entry;
