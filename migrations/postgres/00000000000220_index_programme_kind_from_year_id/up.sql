CREATE INDEX IF NOT EXISTS programme_kind_from_year_id_idx ON programme (bucket, kind, from_year, id);
