DROP TABLE IF EXISTS reunification_desk;
