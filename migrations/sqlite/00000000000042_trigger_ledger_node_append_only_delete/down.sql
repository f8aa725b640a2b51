DROP TRIGGER IF EXISTS ledger_node_append_only_delete;
