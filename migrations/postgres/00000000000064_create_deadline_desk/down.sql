DROP TABLE IF EXISTS deadline_desk;
