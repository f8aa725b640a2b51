DROP TABLE IF EXISTS audit_alert_desk;
