DROP INDEX IF EXISTS programme_kind_id_idx;
