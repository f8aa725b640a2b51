DROP TABLE IF EXISTS reunification;
