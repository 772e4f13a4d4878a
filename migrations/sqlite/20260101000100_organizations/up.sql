-- An organisation is the outermost tenant. `deployment` holds a few named values of the whole installation.
-- Moments are microseconds since 1970 (INTEGER). Tables with short rows are WITHOUT ROWID.

CREATE TABLE deployment (
    key TEXT NOT NULL PRIMARY KEY CONSTRAINT deployment_key_length CHECK (length(key) BETWEEN 1 AND 100),
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT organizations_id_length CHECK (length(id) = 16),
    slug TEXT NOT NULL CONSTRAINT organizations_slug_length CHECK (length(slug) BETWEEN 1 AND 100),
    name TEXT NOT NULL CONSTRAINT organizations_name_length CHECK (length(name) BETWEEN 1 AND 100),
    disabled_at INTEGER,
    token_cap INTEGER CONSTRAINT organizations_token_cap_range CHECK (token_cap BETWEEN 0 AND 4294967295),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT organizations_slug_key UNIQUE (slug)
) STRICT;
