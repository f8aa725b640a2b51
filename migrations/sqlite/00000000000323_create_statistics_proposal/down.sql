DROP TABLE IF EXISTS statistics_proposal;
