CREATE TABLE IF NOT EXISTS statistics_member (
    bucket SMALLINT NOT NULL,
    case_id UUID NOT NULL,
    period TEXT NOT NULL,
    CONSTRAINT statistics_member_pkey PRIMARY KEY (bucket, case_id),
    CONSTRAINT statistics_member_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
