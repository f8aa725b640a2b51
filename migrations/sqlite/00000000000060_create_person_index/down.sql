DROP TABLE IF EXISTS person_index;
