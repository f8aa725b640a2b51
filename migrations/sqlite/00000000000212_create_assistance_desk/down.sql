DROP TABLE IF EXISTS assistance_desk;
