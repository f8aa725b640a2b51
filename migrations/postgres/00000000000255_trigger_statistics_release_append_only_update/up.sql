CREATE OR REPLACE TRIGGER statistics_release_append_only_update BEFORE UPDATE ON statistics_release FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
