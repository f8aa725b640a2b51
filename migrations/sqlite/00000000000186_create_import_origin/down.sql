DROP TABLE IF EXISTS import_origin;
