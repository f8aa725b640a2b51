CREATE INDEX IF NOT EXISTS care_process_victim_id_id_idx ON care_process (victim_id, id);
