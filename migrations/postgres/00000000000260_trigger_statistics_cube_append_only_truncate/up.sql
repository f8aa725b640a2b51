CREATE OR REPLACE TRIGGER statistics_cube_append_only_truncate BEFORE TRUNCATE ON statistics_cube FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
