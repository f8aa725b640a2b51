DROP TABLE IF EXISTS ledger_lane;
