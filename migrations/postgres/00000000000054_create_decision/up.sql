CREATE TABLE IF NOT EXISTS decision (
    bucket SMALLINT NOT NULL,
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    supersedes_id UUID,
    superseded_by_id UUID,
    detail JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT decision_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT decision_case_id_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file (bucket, id),
    CONSTRAINT decision_bucket_check CHECK (bucket = (((get_byte(uuid_send(id), 6) & 15) << 8) | get_byte(uuid_send(id), 7)))
);
