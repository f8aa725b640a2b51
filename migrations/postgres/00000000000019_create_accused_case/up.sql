CREATE TABLE IF NOT EXISTS accused_case (
    bucket SMALLINT NOT NULL,
    accused_id UUID NOT NULL,
    case_id UUID NOT NULL,
    CONSTRAINT accused_case_pkey PRIMARY KEY (bucket, accused_id, case_id),
    CONSTRAINT accused_case_accused_id_fkey FOREIGN KEY (bucket, accused_id) REFERENCES accused (bucket, id),
    CONSTRAINT accused_case_bucket_check CHECK (bucket = (((get_byte(uuid_send(accused_id), 6) & 15) << 8) | get_byte(uuid_send(accused_id), 7)))
);
