CREATE TABLE IF NOT EXISTS correction (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    record_type TEXT NOT NULL,
    record_id UUID NOT NULL,
    from_agency TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    state TEXT NOT NULL,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT correction_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT correction_case_id_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file (bucket, id),
    CONSTRAINT correction_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
