CREATE OR REPLACE TRIGGER ledger_node_append_only_truncate BEFORE TRUNCATE ON ledger_node FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
