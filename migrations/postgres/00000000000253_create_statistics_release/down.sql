DROP TABLE IF EXISTS statistics_release;
