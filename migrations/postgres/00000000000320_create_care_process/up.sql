CREATE TABLE IF NOT EXISTS care_process (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    victim_id UUID NOT NULL,
    jurisdiction TEXT NOT NULL,
    protocol_version TEXT NOT NULL,
    state TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT care_process_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT care_process_victim_id_fkey FOREIGN KEY (bucket, victim_id) REFERENCES victim (bucket, id),
    CONSTRAINT care_process_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
