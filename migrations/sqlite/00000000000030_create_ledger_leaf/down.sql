DROP TABLE IF EXISTS ledger_leaf;
