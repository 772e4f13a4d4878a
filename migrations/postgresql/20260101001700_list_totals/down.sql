ALTER TABLE actors RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
ALTER TABLE access_scopes RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
ALTER TABLE projects RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
ALTER TABLE access_scopes DROP CONSTRAINT access_scopes_slug_key,
    ADD CONSTRAINT access_scopes_slug_key UNIQUE (project_id, slug);
ALTER TABLE projects DROP CONSTRAINT projects_slug_key,
    ADD CONSTRAINT projects_slug_key UNIQUE (organization_id, slug);
DROP TRIGGER actors_count_moved ON actors;
DROP TRIGGER actors_count_gone ON actors;
DROP TRIGGER actors_count_new ON actors;
DROP TRIGGER access_scopes_count_gone ON access_scopes;
DROP TRIGGER access_scopes_count_new ON access_scopes;
DROP TRIGGER projects_count_gone ON projects;
DROP TRIGGER projects_count_new ON projects;
DROP TRIGGER organizations_begin_totals ON organizations;
DROP FUNCTION count_moved_actors;
DROP FUNCTION count_actors;
DROP FUNCTION count_access_scopes;
DROP FUNCTION count_projects;
DROP FUNCTION begin_organization_totals;
DROP TABLE access_scope_totals;
DROP TABLE project_totals;
DROP TABLE organization_totals;
