CREATE TABLE IF NOT EXISTS event_lane (
    bucket SMALLINT NOT NULL,
    agency_code TEXT NOT NULL,
    position BIGINT NOT NULL,
    seq SMALLINT NOT NULL,
    entry_id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    sealed_at TIMESTAMPTZ NOT NULL,
    event_type TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id UUID NOT NULL,
    version BIGINT,
    gate TEXT NOT NULL,
    scope TEXT NOT NULL,
    case_id UUID,
    person_id UUID,
    CONSTRAINT event_lane_pkey PRIMARY KEY (bucket, agency_code, position, seq),
    CONSTRAINT event_lane_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
