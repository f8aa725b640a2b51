DROP TABLE IF EXISTS accused_case;
