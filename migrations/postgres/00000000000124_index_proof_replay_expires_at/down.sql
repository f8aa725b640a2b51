DROP INDEX IF EXISTS proof_replay_expires_at_idx;
