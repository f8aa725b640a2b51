CREATE TABLE IF NOT EXISTS client (
    id UUID NOT NULL,
    agency_code TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes JSONB NOT NULL,
    purposes JSONB NOT NULL,
    secret_hash TEXT,
    jwks JSONB,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT client_pkey PRIMARY KEY (id),
    CONSTRAINT client_agency_code_fkey FOREIGN KEY (agency_code) REFERENCES agency (code)
);
