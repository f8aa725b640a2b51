DROP TRIGGER IF EXISTS ledger_node_append_only_truncate ON ledger_node;
