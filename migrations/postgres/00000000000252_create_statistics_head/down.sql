DROP TABLE IF EXISTS statistics_head;
