CREATE OR REPLACE TRIGGER ledger_node_append_only_update BEFORE UPDATE ON ledger_node FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
