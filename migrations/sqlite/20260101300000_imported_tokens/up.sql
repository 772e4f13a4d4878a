-- Hashes of other systems that were imported: the same hash makes no second token, also after its token's first use has
-- replaced it by one of this service.
CREATE TABLE imported_tokens (
    -- A digest of the hash, as it was imported.
    identity BLOB NOT NULL CONSTRAINT imported_tokens_identity_length CHECK (length(identity) = 32),
    organization_id BLOB NOT NULL CONSTRAINT imported_tokens_organization_fkey REFERENCES organizations (id),
    token_id BLOB NOT NULL CONSTRAINT imported_tokens_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    CONSTRAINT imported_tokens_pkey PRIMARY KEY (identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_tokens_token_idx ON imported_tokens (token_id);
