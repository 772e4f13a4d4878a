-- What a token's makers say about it, and why it was revoked. All of it is checked again where it is read.
ALTER TABLE tokens ADD COLUMN description TEXT;
-- The holder in the caller's own system: tokens are listed and revoked by it.
ALTER TABLE tokens ADD COLUMN external_id TEXT;
-- A JSON object in its canonical form.
ALTER TABLE tokens ADD COLUMN metadata TEXT;
-- Networks in CIDR notation, separated by single spaces; nothing where the token may be used from anywhere.
ALTER TABLE tokens ADD COLUMN allowed_networks TEXT;
ALTER TABLE tokens ADD COLUMN revoked_cause TEXT;
ALTER TABLE tokens ADD COLUMN revoked_note TEXT;
CREATE INDEX tokens_external_id_idx ON tokens (organization_id, external_id, created_at, id)
    WHERE external_id IS NOT NULL;

-- Told about every index of the table, as 20260101001800_token_filters does.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('tokens', 'tokens_external_id_idx', '100000 1000 10 1 1');
