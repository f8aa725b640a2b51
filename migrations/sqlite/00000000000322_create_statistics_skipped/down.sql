DROP TABLE IF EXISTS statistics_skipped;
