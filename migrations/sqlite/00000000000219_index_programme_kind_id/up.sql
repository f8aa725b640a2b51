CREATE INDEX IF NOT EXISTS programme_kind_id_idx ON programme (kind, id);
