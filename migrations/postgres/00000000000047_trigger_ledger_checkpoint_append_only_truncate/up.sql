CREATE OR REPLACE TRIGGER ledger_checkpoint_append_only_truncate BEFORE TRUNCATE ON ledger_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
