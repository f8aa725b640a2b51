CREATE TABLE IF NOT EXISTS victim_identity (
    bucket SMALLINT NOT NULL,
    victim_id UUID NOT NULL,
    content JSONB NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT victim_identity_pkey PRIMARY KEY (bucket, victim_id),
    CONSTRAINT victim_identity_victim_id_fkey FOREIGN KEY (bucket, victim_id) REFERENCES victim (bucket, id),
    CONSTRAINT victim_identity_bucket_check CHECK (bucket = (((get_byte(uuid_send(victim_id), 6) & 15) << 8) | get_byte(uuid_send(victim_id), 7)))
);
