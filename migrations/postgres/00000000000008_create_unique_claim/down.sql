DROP TABLE IF EXISTS unique_claim;
