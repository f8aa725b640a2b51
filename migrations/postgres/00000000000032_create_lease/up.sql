CREATE TABLE IF NOT EXISTS lease (
    bucket SMALLINT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    token BIGINT NOT NULL,
    CONSTRAINT lease_pkey PRIMARY KEY (bucket, name),
    CONSTRAINT lease_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
);
