CREATE INDEX IF NOT EXISTS case_participant_case_id_id_idx ON case_participant (case_id, id);
