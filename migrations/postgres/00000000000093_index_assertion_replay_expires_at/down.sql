DROP INDEX IF EXISTS assertion_replay_expires_at_idx;
