DROP TABLE IF EXISTS case_victim;
