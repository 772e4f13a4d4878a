-- An organisation is the outermost tenant. `deployment` holds a few named values of the whole installation.

CREATE TABLE deployment (
    key text NOT NULL PRIMARY KEY CONSTRAINT deployment_key_length CHECK (length(key) BETWEEN 1 AND 100),
    value text NOT NULL
);

CREATE TABLE organizations (
    id uuid NOT NULL PRIMARY KEY,
    slug text NOT NULL CONSTRAINT organizations_slug_length CHECK (length(slug) BETWEEN 1 AND 100),
    name text NOT NULL CONSTRAINT organizations_name_length CHECK (length(name) BETWEEN 1 AND 100),
    disabled_at timestamptz,
    token_cap bigint CONSTRAINT organizations_token_cap_range CHECK (token_cap BETWEEN 0 AND 4294967295),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organizations_slug_key UNIQUE (slug)
);
