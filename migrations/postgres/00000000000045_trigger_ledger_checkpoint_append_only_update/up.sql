CREATE OR REPLACE TRIGGER ledger_checkpoint_append_only_update BEFORE UPDATE ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
