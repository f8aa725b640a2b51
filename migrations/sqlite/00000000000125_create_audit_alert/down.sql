DROP TABLE IF EXISTS audit_alert;
