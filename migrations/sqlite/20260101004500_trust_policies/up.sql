-- Which workloads of an identity provider get short-lived tokens of an organisation for their identity tokens. The rest of
-- a policy is checked where it is read. Its project and its actor may be gone: then nothing is exchanged under it.
CREATE TABLE trust_policies (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT trust_policies_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT trust_policies_organization_fkey REFERENCES organizations (id),
    name TEXT NOT NULL,
    preset TEXT NOT NULL,
    issuer TEXT NOT NULL,
    -- What `aud` must be; nothing where it is the public address of the deployment.
    audience TEXT,
    -- A JSON object: what each claim must be.
    conditions TEXT NOT NULL,
    -- Scope names, separated by single spaces.
    scopes TEXT NOT NULL,
    project_id BLOB,
    actor_id BLOB,
    ttl_seconds INTEGER NOT NULL CONSTRAINT trust_policies_ttl_range CHECK (ttl_seconds BETWEEN 1 AND 3600),
    is_enabled INTEGER NOT NULL CONSTRAINT trust_policies_is_enabled_bool CHECK (is_enabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;
CREATE INDEX trust_policies_listing_idx ON trust_policies (organization_id, id);
CREATE INDEX trust_policies_issuer_idx ON trust_policies (issuer, organization_id, id);

-- The last attempts under each policy, whose token was really signed by its issuer.
CREATE TABLE trust_attempts (
    policy_id BLOB NOT NULL CONSTRAINT trust_attempts_policy_fkey REFERENCES trust_policies (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    claim TEXT,
    subject TEXT,
    address TEXT,
    token_id BLOB,
    CONSTRAINT trust_attempts_pkey PRIMARY KEY (policy_id, id)
) STRICT, WITHOUT ROWID;

-- Identity tokens that were exchanged, by a digest of issuer and `jti`, until they can no longer be presented.
CREATE TABLE exchanged_identities (
    digest BLOB NOT NULL PRIMARY KEY
        CONSTRAINT exchanged_identities_digest_length CHECK (length(digest) = 32),
    keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX exchanged_identities_keep_until_idx ON exchanged_identities (keep_until);
