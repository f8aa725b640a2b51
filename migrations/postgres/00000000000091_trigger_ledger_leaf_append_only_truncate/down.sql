DROP TRIGGER IF EXISTS ledger_leaf_append_only_truncate ON ledger_leaf;
