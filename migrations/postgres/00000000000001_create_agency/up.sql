CREATE TABLE IF NOT EXISTS agency (
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    country TEXT NOT NULL,
    territory TEXT,
    parent_code TEXT,
    oversight BOOLEAN NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT agency_pkey PRIMARY KEY (code),
    CONSTRAINT agency_parent_code_fkey FOREIGN KEY (parent_code) REFERENCES agency (code)
);
