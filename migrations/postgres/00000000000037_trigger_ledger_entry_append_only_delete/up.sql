CREATE OR REPLACE TRIGGER ledger_entry_append_only_delete BEFORE DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
