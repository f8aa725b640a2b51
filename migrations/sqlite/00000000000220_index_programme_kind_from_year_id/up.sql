CREATE INDEX IF NOT EXISTS programme_kind_from_year_id_idx ON programme (kind, from_year, id);
