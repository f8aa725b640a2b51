DROP TRIGGER IF EXISTS statistics_cube_append_only_delete ON statistics_cube;
