-- Which workloads of an identity provider get short-lived tokens of an organisation for their identity tokens. The rest of
-- a policy is checked where it is read. Its project and its actor may be gone: then nothing is exchanged under it.
CREATE TABLE trust_policies (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT trust_policies_organization_fkey REFERENCES organizations (id),
    name text NOT NULL,
    preset text NOT NULL,
    issuer text NOT NULL,
    -- What `aud` must be; nothing where it is the public address of the deployment.
    audience text,
    -- A JSON object: what each claim must be.
    conditions text NOT NULL,
    -- Scope names, separated by single spaces.
    scopes text NOT NULL,
    project_id uuid,
    actor_id uuid,
    ttl_seconds integer NOT NULL CONSTRAINT trust_policies_ttl_range CHECK (ttl_seconds BETWEEN 1 AND 3600),
    is_enabled boolean NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL
);
CREATE INDEX trust_policies_listing_idx ON trust_policies (organization_id, id);
CREATE INDEX trust_policies_issuer_idx ON trust_policies (issuer, organization_id, id);

-- The last attempts under each policy, whose token was really signed by its issuer.
CREATE TABLE trust_attempts (
    policy_id uuid NOT NULL CONSTRAINT trust_attempts_policy_fkey REFERENCES trust_policies (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    claim text,
    subject text,
    address text,
    token_id uuid,
    CONSTRAINT trust_attempts_pkey PRIMARY KEY (policy_id, id)
);

-- Identity tokens that were exchanged, by a digest of issuer and `jti`, until they can no longer be presented.
CREATE TABLE exchanged_identities (
    digest bytea NOT NULL PRIMARY KEY
        CONSTRAINT exchanged_identities_digest_length CHECK (length(digest) = 32),
    keep_until timestamptz NOT NULL
);
CREATE INDEX exchanged_identities_keep_until_idx ON exchanged_identities (keep_until);
