CREATE TABLE IF NOT EXISTS victim_case (
    bucket SMALLINT NOT NULL,
    victim_id UUID NOT NULL,
    case_id UUID NOT NULL,
    CONSTRAINT victim_case_pkey PRIMARY KEY (bucket, victim_id, case_id),
    CONSTRAINT victim_case_victim_id_fkey FOREIGN KEY (bucket, victim_id) REFERENCES victim (bucket, id),
    CONSTRAINT victim_case_bucket_check CHECK (bucket = (((get_byte(uuid_send(victim_id), 6) & 15) << 8) | get_byte(uuid_send(victim_id), 7)))
);
