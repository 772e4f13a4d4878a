-- An index for each order that lists of projects, access scopes and actors offer; ties are broken by id. Slugs are
-- unique where they are listed and so have one already.
CREATE INDEX projects_name_idx ON projects (organization_id, name, id);
CREATE INDEX projects_created_idx ON projects (organization_id, created_at, id);
CREATE INDEX projects_updated_idx ON projects (organization_id, updated_at, id);
CREATE INDEX access_scopes_name_idx ON access_scopes (project_id, name, id);
CREATE INDEX access_scopes_created_idx ON access_scopes (project_id, created_at, id);
CREATE INDEX access_scopes_updated_idx ON access_scopes (project_id, updated_at, id);
CREATE INDEX actors_project_name_idx ON actors (project_id, name, id);
CREATE INDEX actors_project_updated_idx ON actors (project_id, updated_at, id);
-- Of one access scope, and of none: PostgreSQL does not see that rows whose column is null are in the order of the rest of
-- an index, so those have indexes of their own.
CREATE INDEX actors_access_scope_name_idx ON actors (project_id, access_scope_id, name, id)
    WHERE access_scope_id IS NOT NULL;
CREATE INDEX actors_access_scope_updated_idx ON actors (project_id, access_scope_id, updated_at, id)
    WHERE access_scope_id IS NOT NULL;
CREATE INDEX actors_unscoped_name_idx ON actors (project_id, name, id) WHERE access_scope_id IS NULL;
CREATE INDEX actors_unscoped_created_idx ON actors (project_id, created_at, id) WHERE access_scope_id IS NULL;
CREATE INDEX actors_unscoped_updated_idx ON actors (project_id, updated_at, id) WHERE access_scope_id IS NULL;
