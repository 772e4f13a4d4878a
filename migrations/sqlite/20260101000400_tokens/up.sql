-- Tokens: facts only. A token's status follows from these columns and the clock; nothing sweeps it.
-- A rowid table on purpose: its rows are long, and long rows in the inner pages of a WITHOUT ROWID tree would make it
-- several levels deeper, which every look-up would pay.
CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT tokens_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT tokens_organization_fkey REFERENCES organizations (id),
    kind TEXT NOT NULL CONSTRAINT tokens_kind_known CHECK (kind IN ('organization', 'personal', 'actor')),
    owner_user_id BLOB CONSTRAINT tokens_owner_user_fkey REFERENCES users (id),
    actor_id BLOB,
    name TEXT NOT NULL CONSTRAINT tokens_name_length CHECK (length(name) BETWEEN 1 AND 100),
    agent_type TEXT NOT NULL CONSTRAINT tokens_agent_type_length CHECK (length(agent_type) <= 64),
    -- Scope names, separated by single spaces (as in RFC 6749, section 3.3).
    scopes TEXT NOT NULL CONSTRAINT tokens_scopes_length CHECK (length(scopes) BETWEEN 1 AND 8192),
    project_id BLOB,
    hint TEXT NOT NULL CONSTRAINT tokens_hint_length CHECK (length(hint) = 4),
    secret_hash TEXT NOT NULL CONSTRAINT tokens_secret_hash_length CHECK (length(secret_hash) BETWEEN 1 AND 512),
    lookup_hint INTEGER NOT NULL,
    verify_tag BLOB CONSTRAINT tokens_verify_tag_length CHECK (length(verify_tag) BETWEEN 1 AND 128),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    -- Microseconds; set when the expiry was chosen as a span.
    lifetime INTEGER CONSTRAINT tokens_lifetime_positive CHECK (lifetime > 0),
    -- `user:<uuid>`, `token:<uuid>`, `service`, `system` or `anonymous`; kept when whoever it was is gone.
    created_by TEXT NOT NULL CONSTRAINT tokens_created_by_length CHECK (length(created_by) BETWEEN 1 AND 64),
    superseded_at INTEGER,
    rotated_to BLOB CONSTRAINT tokens_rotated_to_fkey REFERENCES tokens (id),
    grace_ends_at INTEGER,
    grace_mode TEXT CONSTRAINT tokens_grace_mode_known CHECK (grace_mode IN ('fixed', 'first_use')),
    revoked_at INTEGER,
    revoked_reason TEXT CONSTRAINT tokens_revoked_reason_known CHECK (revoked_reason IN
        ('requested', 'superseded', 'rotation_cancelled', 'leaked', 'owner_removed', 'policy')),
    revoked_by TEXT CONSTRAINT tokens_revoked_by_length CHECK (length(revoked_by) BETWEEN 1 AND 64),
    rotated_from BLOB CONSTRAINT tokens_rotated_from_fkey REFERENCES tokens (id),
    first_used_at INTEGER,
    last_used_at INTEGER,
    reuse_detected_at INTEGER,
    CONSTRAINT tokens_rotated_to_key UNIQUE (rotated_to),
    CONSTRAINT tokens_owner_matches_kind CHECK (
        (kind = 'organization' AND owner_user_id IS NULL AND actor_id IS NULL)
        OR (kind = 'personal' AND owner_user_id IS NOT NULL AND actor_id IS NULL)
        OR (kind = 'actor' AND owner_user_id IS NULL AND actor_id IS NOT NULL AND project_id IS NOT NULL)
    ),
    CONSTRAINT tokens_expiry_ahead CHECK (expires_at > created_at),
    CONSTRAINT tokens_lifetime_has_expiry CHECK (lifetime IS NULL OR expires_at IS NOT NULL),
    CONSTRAINT tokens_superseded_whole CHECK (
        (superseded_at IS NULL) = (rotated_to IS NULL)
        AND (superseded_at IS NULL) = (grace_ends_at IS NULL)
        AND (superseded_at IS NULL) = (grace_mode IS NULL)
    ),
    CONSTRAINT tokens_grace_after_rotation CHECK (grace_ends_at >= superseded_at),
    CONSTRAINT tokens_not_own_successor CHECK (rotated_to <> id AND rotated_from <> id),
    CONSTRAINT tokens_revoked_whole CHECK (
        (revoked_at IS NULL) = (revoked_reason IS NULL) AND (revoked_at IS NULL) = (revoked_by IS NULL)
    ),
    CONSTRAINT tokens_project_fkey FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id),
    CONSTRAINT tokens_actor_fkey FOREIGN KEY (project_id, actor_id) REFERENCES actors (project_id, id)
) STRICT;
-- Finds the row from what is presented. Not unique: eight bytes of a digest may collide.
CREATE INDEX tokens_lookup_hint_idx ON tokens (lookup_hint);
-- Listings, newest first.
CREATE INDEX tokens_listing_idx ON tokens (organization_id, kind, created_at, id);
CREATE INDEX tokens_owner_user_idx ON tokens (owner_user_id, organization_id, created_at, id)
    WHERE owner_user_id IS NOT NULL;
CREATE INDEX tokens_actor_idx ON tokens (actor_id, created_at, id) WHERE actor_id IS NOT NULL;
CREATE INDEX tokens_project_idx ON tokens (project_id, actor_id) WHERE project_id IS NOT NULL;
CREATE INDEX tokens_rotated_from_idx ON tokens (rotated_from) WHERE rotated_from IS NOT NULL;

-- What a create or rotate with an `Idempotency-Key` made, so that a retry does not mint a second token.
CREATE TABLE idempotency_keys (
    organization_id BLOB NOT NULL CONSTRAINT idempotency_keys_organization_fkey REFERENCES organizations (id),
    principal TEXT NOT NULL CONSTRAINT idempotency_keys_principal_length CHECK (length(principal) BETWEEN 1 AND 64),
    operation TEXT NOT NULL CONSTRAINT idempotency_keys_operation_length CHECK (length(operation) BETWEEN 1 AND 100),
    key TEXT NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_digest BLOB NOT NULL
        CONSTRAINT idempotency_keys_request_digest_length CHECK (length(request_digest) = 32),
    token_id BLOB NOT NULL CONSTRAINT idempotency_keys_token_fkey REFERENCES tokens (id),
    created_at INTEGER NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (organization_id, principal, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_token_idx ON idempotency_keys (token_id);
