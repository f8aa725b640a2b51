CREATE INDEX IF NOT EXISTS correction_box_agency_code_side_open_correction_id_idx ON correction_box (agency_code, side, open, correction_id);
