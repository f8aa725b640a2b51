CREATE OR REPLACE TRIGGER ledger_node_append_only_delete BEFORE DELETE ON ledger_node FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
