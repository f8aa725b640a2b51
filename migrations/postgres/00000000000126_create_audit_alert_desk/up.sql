CREATE TABLE IF NOT EXISTS audit_alert_desk (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    alert_id UUID NOT NULL,
    acknowledged BOOLEAN NOT NULL,
    CONSTRAINT audit_alert_desk_pkey PRIMARY KEY (bucket, agency_code, alert_id),
    CONSTRAINT audit_alert_desk_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
