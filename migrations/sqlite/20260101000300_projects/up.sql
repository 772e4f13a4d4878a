-- Projects, the tenant boundaries inside them (access scopes), and what acts there.
CREATE TABLE projects (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT projects_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT projects_organization_fkey REFERENCES organizations (id),
    name TEXT NOT NULL CONSTRAINT projects_name_length CHECK (length(name) BETWEEN 1 AND 100),
    slug TEXT NOT NULL CONSTRAINT projects_slug_length CHECK (length(slug) BETWEEN 1 AND 100),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT projects_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT projects_organization_id_key UNIQUE (organization_id, id)
) STRICT;

CREATE TABLE access_scopes (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT access_scopes_id_length CHECK (length(id) = 16),
    project_id BLOB NOT NULL CONSTRAINT access_scopes_project_fkey REFERENCES projects (id),
    slug TEXT NOT NULL CONSTRAINT access_scopes_slug_length CHECK (length(slug) BETWEEN 1 AND 100),
    name TEXT CONSTRAINT access_scopes_name_length CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT CONSTRAINT access_scopes_description_length CHECK (length(description) BETWEEN 1 AND 500),
    -- A JSON object, kept as written.
    metadata TEXT CONSTRAINT access_scopes_metadata_length CHECK (length(metadata) BETWEEN 2 AND 4096),
    is_active INTEGER NOT NULL CONSTRAINT access_scopes_is_active_bool CHECK (is_active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT access_scopes_slug_key UNIQUE (project_id, slug),
    CONSTRAINT access_scopes_project_id_key UNIQUE (project_id, id)
) STRICT;

CREATE TABLE actors (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT actors_id_length CHECK (length(id) = 16),
    project_id BLOB NOT NULL CONSTRAINT actors_project_fkey REFERENCES projects (id),
    access_scope_id BLOB,
    name TEXT NOT NULL CONSTRAINT actors_name_length CHECK (length(name) BETWEEN 1 AND 255),
    actor_type TEXT NOT NULL
        CONSTRAINT actors_actor_type_known CHECK (actor_type IN ('device', 'user', 'server', 'agent', 'service')),
    external_id TEXT CONSTRAINT actors_external_id_length CHECK (length(external_id) BETWEEN 1 AND 255),
    metadata TEXT CONSTRAINT actors_metadata_length CHECK (length(metadata) BETWEEN 2 AND 4096),
    disabled_at INTEGER,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT actors_project_id_key UNIQUE (project_id, id),
    -- The boundary is of the same project. Deleting one unscopes its actors first, in the same transaction.
    CONSTRAINT actors_access_scope_fkey FOREIGN KEY (project_id, access_scope_id)
        REFERENCES access_scopes (project_id, id)
) STRICT;
CREATE INDEX actors_project_created_idx ON actors (project_id, created_at, id);
CREATE INDEX actors_access_scope_idx ON actors (project_id, access_scope_id, created_at, id);
