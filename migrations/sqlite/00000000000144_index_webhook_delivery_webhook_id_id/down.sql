DROP INDEX IF EXISTS webhook_delivery_webhook_id_id_idx;
