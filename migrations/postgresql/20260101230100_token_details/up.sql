-- What a token's makers say about it, and why it was revoked. All of it is checked again where it is read.
ALTER TABLE tokens ADD COLUMN description text;
-- The holder in the caller's own system: tokens are listed and revoked by it.
ALTER TABLE tokens ADD COLUMN external_id text;
-- A JSON object in its canonical form.
ALTER TABLE tokens ADD COLUMN metadata text;
-- Networks in CIDR notation, separated by single spaces; nothing where the token may be used from anywhere.
ALTER TABLE tokens ADD COLUMN allowed_networks text;
ALTER TABLE tokens ADD COLUMN revoked_cause text;
ALTER TABLE tokens ADD COLUMN revoked_note text;
CREATE INDEX tokens_external_id_idx ON tokens (organization_id, external_id, created_at, id)
    WHERE external_id IS NOT NULL;
