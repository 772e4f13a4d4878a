DROP INDEX tokens_external_id_idx;
ALTER TABLE tokens DROP COLUMN revoked_note;
ALTER TABLE tokens DROP COLUMN revoked_cause;
ALTER TABLE tokens DROP COLUMN allowed_networks;
ALTER TABLE tokens DROP COLUMN metadata;
ALTER TABLE tokens DROP COLUMN external_id;
ALTER TABLE tokens DROP COLUMN description;
