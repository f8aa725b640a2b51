CREATE TABLE IF NOT EXISTS client_policy (
    client_id UUID NOT NULL,
    dpop_required BOOLEAN NOT NULL,
    tokens_after TIMESTAMPTZ,
    territory TEXT,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT client_policy_pkey PRIMARY KEY (client_id),
    CONSTRAINT client_policy_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id)
);
