CREATE INDEX IF NOT EXISTS webhook_agency_code_id_idx ON webhook (bucket, agency_code, id);
