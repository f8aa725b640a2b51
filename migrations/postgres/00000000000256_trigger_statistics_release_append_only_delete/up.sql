CREATE OR REPLACE TRIGGER statistics_release_append_only_delete BEFORE DELETE ON statistics_release FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
