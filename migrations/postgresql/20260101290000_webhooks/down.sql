ALTER TABLE audit_heads DROP COLUMN has_webhooks;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
