DROP TABLE IF EXISTS person_index_ref;
