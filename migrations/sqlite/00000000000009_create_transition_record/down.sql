DROP TABLE IF EXISTS transition_record;
