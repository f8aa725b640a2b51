CREATE TABLE IF NOT EXISTS accused_case (
    bucket INTEGER NOT NULL,
    accused_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    CONSTRAINT accused_case_pkey PRIMARY KEY (accused_id, case_id),
    CONSTRAINT accused_case_accused_id_fkey FOREIGN KEY (accused_id) REFERENCES accused (id),
    CONSTRAINT accused_case_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
