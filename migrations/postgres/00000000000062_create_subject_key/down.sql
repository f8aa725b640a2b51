DROP TABLE IF EXISTS subject_key;
