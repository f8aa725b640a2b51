DROP TABLE IF EXISTS statistics_past;
