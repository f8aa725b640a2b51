DROP TABLE IF EXISTS care_process;
