DROP TABLE IF EXISTS statistics_fact;
