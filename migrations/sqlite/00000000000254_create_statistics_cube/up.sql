CREATE TABLE IF NOT EXISTS statistics_cube (
    bucket INTEGER NOT NULL,
    period TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL,
    CONSTRAINT statistics_cube_pkey PRIMARY KEY (bucket, period, name),
    CONSTRAINT statistics_cube_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
