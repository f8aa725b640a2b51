DROP TABLE IF EXISTS victim_case;
