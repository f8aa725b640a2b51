DROP INDEX IF EXISTS case_participant_case_id_id_idx;
