CREATE OR REPLACE TRIGGER ledger_checkpoint_append_only_delete BEFORE DELETE ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
