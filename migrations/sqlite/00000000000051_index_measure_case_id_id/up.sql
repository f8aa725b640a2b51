CREATE INDEX IF NOT EXISTS measure_case_id_id_idx ON measure (case_id, id);
