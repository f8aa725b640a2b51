CREATE TABLE IF NOT EXISTS client_policy (
    client_id BLOB NOT NULL,
    dpop_required INTEGER NOT NULL,
    tokens_after TEXT,
    territory TEXT,
    updated_at TEXT NOT NULL,
    CONSTRAINT client_policy_pkey PRIMARY KEY (client_id),
    CONSTRAINT client_policy_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id)
) STRICT;
