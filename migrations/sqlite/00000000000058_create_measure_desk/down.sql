DROP TABLE IF EXISTS measure_desk;
