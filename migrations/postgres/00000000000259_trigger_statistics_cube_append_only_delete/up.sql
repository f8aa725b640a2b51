CREATE OR REPLACE TRIGGER statistics_cube_append_only_delete BEFORE DELETE ON statistics_cube FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
