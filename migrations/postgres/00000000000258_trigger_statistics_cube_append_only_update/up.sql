CREATE OR REPLACE TRIGGER statistics_cube_append_only_update BEFORE UPDATE ON statistics_cube FOR EACH ROW EXECUTE FUNCTION sistra_refuse_change();
