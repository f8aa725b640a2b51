CREATE TABLE IF NOT EXISTS person_merge (
    bucket SMALLINT NOT NULL,
    person_id UUID NOT NULL,
    other_id UUID NOT NULL,
    away BOOLEAN NOT NULL,
    evidence TEXT NOT NULL,
    survivor_version BIGINT NOT NULL,
    identity_version BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    agency_code TEXT NOT NULL,
    CONSTRAINT person_merge_pkey PRIMARY KEY (bucket, person_id, other_id),
    CONSTRAINT person_merge_bucket_check CHECK (bucket = (((get_byte(uuid_send(person_id), 6) & 15) << 8) | get_byte(uuid_send(person_id), 7)))
);
