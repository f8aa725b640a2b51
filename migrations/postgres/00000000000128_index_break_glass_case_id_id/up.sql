CREATE INDEX IF NOT EXISTS break_glass_case_id_id_idx ON break_glass (bucket, case_id, id);
