CREATE TABLE IF NOT EXISTS ledger_entry (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    client_id UUID,
    agency_code TEXT,
    user_ref TEXT,
    purpose TEXT,
    request_id UUID NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id UUID NOT NULL,
    version BIGINT,
    payload JSONB,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT ledger_entry_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
