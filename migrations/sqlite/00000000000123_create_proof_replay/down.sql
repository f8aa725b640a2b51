DROP TABLE IF EXISTS proof_replay;
