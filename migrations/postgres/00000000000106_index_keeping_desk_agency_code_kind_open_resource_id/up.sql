CREATE INDEX IF NOT EXISTS keeping_desk_agency_code_kind_open_resource_id_idx ON keeping_desk (bucket, agency_code, kind, open, resource_id);
