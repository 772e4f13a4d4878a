-- People, their places in organisations, the roles organisations make for themselves, and sessions.
CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT users_id_length CHECK (length(id) = 16),
    email TEXT NOT NULL CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 254),
    -- The form addresses are unique on and looked up by.
    email_key TEXT NOT NULL CONSTRAINT users_email_key_length CHECK (length(email_key) BETWEEN 3 AND 1024),
    name TEXT NOT NULL CONSTRAINT users_name_length CHECK (length(name) BETWEEN 1 AND 100),
    password_hash TEXT CONSTRAINT users_password_hash_length CHECK (length(password_hash) BETWEEN 1 AND 1024),
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT users_email_key_key UNIQUE (email_key)
) STRICT;

CREATE TABLE roles (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT roles_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT roles_organization_fkey REFERENCES organizations (id),
    name TEXT NOT NULL CONSTRAINT roles_name_length CHECK (length(name) BETWEEN 1 AND 100),
    name_key TEXT NOT NULL CONSTRAINT roles_name_key_length CHECK (length(name_key) BETWEEN 1 AND 400),
    -- Scope names, separated by single spaces (as in RFC 6749, section 3.3).
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT roles_name_key_key UNIQUE (organization_id, name_key),
    -- What memberships refer to, so that a role can only be worn in its own organisation.
    CONSTRAINT roles_organization_id_key UNIQUE (organization_id, id)
) STRICT;

CREATE TABLE memberships (
    organization_id BLOB NOT NULL CONSTRAINT memberships_organization_fkey REFERENCES organizations (id),
    user_id BLOB NOT NULL CONSTRAINT memberships_user_fkey REFERENCES users (id),
    built_in_role TEXT
        CONSTRAINT memberships_built_in_role_known CHECK (built_in_role IN ('owner', 'admin', 'member', 'viewer')),
    role_id BLOB,
    created_at INTEGER NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (organization_id, user_id),
    CONSTRAINT memberships_one_role CHECK ((built_in_role IS NULL) <> (role_id IS NULL)),
    CONSTRAINT memberships_role_fkey FOREIGN KEY (organization_id, role_id) REFERENCES roles (organization_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_user_idx ON memberships (user_id);
CREATE INDEX memberships_role_idx ON memberships (organization_id, role_id);

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT sessions_id_length CHECK (length(id) = 16),
    user_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    token_digest BLOB NOT NULL CONSTRAINT sessions_token_digest_length CHECK (length(token_digest) = 32),
    user_agent TEXT CONSTRAINT sessions_user_agent_length CHECK (length(user_agent) <= 200),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT sessions_token_digest_key UNIQUE (token_digest),
    CONSTRAINT sessions_expiry_ahead CHECK (expires_at > created_at),
    -- A session never outlives the membership it stands on.
    CONSTRAINT sessions_membership_fkey FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX sessions_membership_idx ON sessions (organization_id, user_id);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
