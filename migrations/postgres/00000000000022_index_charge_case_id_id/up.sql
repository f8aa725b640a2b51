CREATE INDEX IF NOT EXISTS charge_case_id_id_idx ON charge (bucket, case_id, id);
