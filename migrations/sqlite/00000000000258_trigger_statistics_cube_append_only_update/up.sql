CREATE TRIGGER IF NOT EXISTS statistics_cube_append_only_update BEFORE UPDATE ON statistics_cube BEGIN SELECT RAISE(ABORT, 'a release is never changed'); END;
