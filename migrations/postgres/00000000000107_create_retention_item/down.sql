DROP TABLE IF EXISTS retention_item;
