DROP TABLE IF EXISTS victim_identity;
