DROP TABLE IF EXISTS case_participant;
