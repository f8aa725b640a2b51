DROP TRIGGER IF EXISTS statistics_cube_append_only_update ON statistics_cube;
