CREATE INDEX IF NOT EXISTS audit_alert_desk_agency_code_acknowledged_alert_id_idx ON audit_alert_desk (bucket, agency_code, acknowledged, alert_id);
