DROP INDEX IF EXISTS programme_kind_from_year_id_idx;
