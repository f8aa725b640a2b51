DROP FUNCTION IF EXISTS sistra_refuse_change();
