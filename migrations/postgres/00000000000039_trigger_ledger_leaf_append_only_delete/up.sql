CREATE OR REPLACE TRIGGER ledger_leaf_append_only_delete BEFORE DELETE ON ledger_leaf FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
