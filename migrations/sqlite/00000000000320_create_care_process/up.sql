CREATE TABLE IF NOT EXISTS care_process (
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL,
    victim_id BLOB NOT NULL,
    jurisdiction TEXT NOT NULL,
    protocol_version TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by_agency TEXT NOT NULL,
    created_by_client BLOB NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT care_process_pkey PRIMARY KEY (id),
    CONSTRAINT care_process_victim_id_fkey FOREIGN KEY (victim_id) REFERENCES victim (id),
    CONSTRAINT care_process_bucket_check CHECK (bucket BETWEEN 0 AND 4095)
) STRICT;
