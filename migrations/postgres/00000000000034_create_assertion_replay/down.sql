DROP TABLE IF EXISTS assertion_replay;
