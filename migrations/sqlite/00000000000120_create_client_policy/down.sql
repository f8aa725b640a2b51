DROP TABLE IF EXISTS client_policy;
