CREATE OR REPLACE TRIGGER ledger_entry_append_only_truncate BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
