CREATE TABLE IF NOT EXISTS case_victim (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    victim_id UUID NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT case_victim_pkey PRIMARY KEY (bucket, case_id, victim_id),
    CONSTRAINT case_victim_case_id_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file (bucket, id),
    CONSTRAINT case_victim_bucket_check CHECK (bucket = (((get_byte(uuid_send(case_id), 6) & 15) << 8) | get_byte(uuid_send(case_id), 7)))
);
