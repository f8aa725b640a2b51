CREATE INDEX IF NOT EXISTS break_glass_desk_agency_code_reviewed_break_glass_id_idx ON break_glass_desk (bucket, agency_code, reviewed, break_glass_id);
