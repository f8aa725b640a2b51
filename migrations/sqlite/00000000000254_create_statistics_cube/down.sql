DROP TABLE IF EXISTS statistics_cube;
