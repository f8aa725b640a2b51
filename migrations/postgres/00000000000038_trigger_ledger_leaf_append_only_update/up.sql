CREATE OR REPLACE TRIGGER ledger_leaf_append_only_update BEFORE UPDATE ON ledger_leaf FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
