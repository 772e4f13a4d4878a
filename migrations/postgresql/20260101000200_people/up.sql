-- People, their places in organisations, the roles organisations make for themselves, and sessions.
CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    email text NOT NULL CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 254),
    -- The form addresses are unique on and looked up by.
    email_key text NOT NULL CONSTRAINT users_email_key_length CHECK (length(email_key) BETWEEN 3 AND 1024),
    name text NOT NULL CONSTRAINT users_name_length CHECK (length(name) BETWEEN 1 AND 100),
    password_hash text CONSTRAINT users_password_hash_length CHECK (length(password_hash) BETWEEN 1 AND 1024),
    disabled_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_email_key_key UNIQUE (email_key)
);

CREATE TABLE roles (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT roles_organization_fkey REFERENCES organizations (id),
    name text NOT NULL CONSTRAINT roles_name_length CHECK (length(name) BETWEEN 1 AND 100),
    name_key text NOT NULL CONSTRAINT roles_name_key_length CHECK (length(name_key) BETWEEN 1 AND 400),
    -- Scope names, separated by single spaces (as in RFC 6749, section 3.3).
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT roles_name_key_key UNIQUE (organization_id, name_key),
    -- What memberships refer to, so that a role can only be worn in its own organisation.
    CONSTRAINT roles_organization_id_key UNIQUE (organization_id, id)
);

CREATE TABLE memberships (
    organization_id uuid NOT NULL CONSTRAINT memberships_organization_fkey REFERENCES organizations (id),
    user_id uuid NOT NULL CONSTRAINT memberships_user_fkey REFERENCES users (id),
    built_in_role text
        CONSTRAINT memberships_built_in_role_known CHECK (built_in_role IN ('owner', 'admin', 'member', 'viewer')),
    role_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (organization_id, user_id),
    CONSTRAINT memberships_one_role CHECK ((built_in_role IS NULL) <> (role_id IS NULL)),
    CONSTRAINT memberships_role_fkey FOREIGN KEY (organization_id, role_id) REFERENCES roles (organization_id, id)
);
CREATE INDEX memberships_user_idx ON memberships (user_id);
CREATE INDEX memberships_role_idx ON memberships (organization_id, role_id);

CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    token_digest bytea NOT NULL CONSTRAINT sessions_token_digest_length CHECK (length(token_digest) = 32),
    user_agent text CONSTRAINT sessions_user_agent_length CHECK (length(user_agent) <= 200),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_token_digest_key UNIQUE (token_digest),
    CONSTRAINT sessions_expiry_ahead CHECK (expires_at > created_at),
    -- A session never outlives the membership it stands on.
    CONSTRAINT sessions_membership_fkey FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX sessions_membership_idx ON sessions (organization_id, user_id);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
