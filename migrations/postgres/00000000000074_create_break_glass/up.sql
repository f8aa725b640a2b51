CREATE TABLE IF NOT EXISTS break_glass (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    agency_code TEXT NOT NULL,
    owner_agency TEXT NOT NULL,
    state TEXT NOT NULL,
    until_at TIMESTAMPTZ,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT break_glass_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT break_glass_case_id_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file (bucket, id),
    CONSTRAINT break_glass_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
