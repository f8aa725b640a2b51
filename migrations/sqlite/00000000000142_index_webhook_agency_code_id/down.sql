DROP INDEX IF EXISTS webhook_agency_code_id_idx;
