DROP TABLE IF EXISTS statistics_member;
