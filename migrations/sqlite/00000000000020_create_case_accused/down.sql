DROP TABLE IF EXISTS case_accused;
