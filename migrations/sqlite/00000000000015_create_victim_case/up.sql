CREATE TABLE IF NOT EXISTS victim_case (
    bucket INTEGER NOT NULL,
    victim_id BLOB NOT NULL,
    case_id BLOB NOT NULL,
    CONSTRAINT victim_case_pkey PRIMARY KEY (victim_id, case_id),
    CONSTRAINT victim_case_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT victim_case_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT, WITHOUT ROWID;
