CREATE TRIGGER IF NOT EXISTS statistics_release_append_only_delete BEFORE DELETE ON statistics_release BEGIN SELECT RAISE(ABORT, 'a release is never changed'); END;
