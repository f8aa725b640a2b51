CREATE TABLE IF NOT EXISTS client (
    id BLOB NOT NULL,
    agency_code TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    purposes TEXT NOT NULL,
    secret_hash TEXT,
    jwks TEXT,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT client_pkey PRIMARY KEY (id),
    CONSTRAINT client_agency_code_fkey FOREIGN KEY (agency_code) REFERENCES agency (code)
) STRICT;
