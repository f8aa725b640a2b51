DROP TABLE IF EXISTS keeping_desk;
