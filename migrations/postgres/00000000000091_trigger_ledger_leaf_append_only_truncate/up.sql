CREATE OR REPLACE TRIGGER ledger_leaf_append_only_truncate BEFORE TRUNCATE ON ledger_leaf FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
