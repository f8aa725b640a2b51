CREATE TABLE IF NOT EXISTS agency (
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    country TEXT NOT NULL,
    territory TEXT,
    parent_code TEXT,
    oversight INTEGER NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT agency_pkey PRIMARY KEY (code),
    CONSTRAINT agency_parent_code_fkey FOREIGN KEY (parent_code) REFERENCES agency (code)
) STRICT;
