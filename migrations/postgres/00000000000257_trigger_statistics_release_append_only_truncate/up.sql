CREATE OR REPLACE TRIGGER statistics_release_append_only_truncate BEFORE TRUNCATE ON statistics_release FOR EACH STATEMENT EXECUTE FUNCTION sistra_refuse_change();
