DROP TABLE IF EXISTS person_merge;
