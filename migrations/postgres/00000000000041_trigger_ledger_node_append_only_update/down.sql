DROP TRIGGER IF EXISTS ledger_node_append_only_update ON ledger_node;
