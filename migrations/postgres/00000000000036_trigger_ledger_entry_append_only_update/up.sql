CREATE OR REPLACE TRIGGER ledger_entry_append_only_update BEFORE UPDATE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
