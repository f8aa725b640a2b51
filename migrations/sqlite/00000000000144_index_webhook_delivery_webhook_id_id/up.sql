CREATE INDEX IF NOT EXISTS webhook_delivery_webhook_id_id_idx ON webhook_delivery (bucket, webhook_id, id);
