DROP TABLE IF EXISTS correction_box;
