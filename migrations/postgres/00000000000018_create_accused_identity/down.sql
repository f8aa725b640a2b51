DROP TABLE IF EXISTS accused_identity;
