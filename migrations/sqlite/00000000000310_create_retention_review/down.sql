DROP TABLE IF EXISTS retention_review;
