DROP TABLE IF EXISTS ledger_node;
