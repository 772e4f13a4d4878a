-- How many entries lists by page have, so that nobody counts them: kept by the database with every row that comes, goes or
-- moves, whoever writes it. In tables of their own, so that a row of a list is not written because its list grew. They come
-- and go with what they are of.
CREATE TABLE organization_totals (
    organization_id BLOB NOT NULL PRIMARY KEY
        CONSTRAINT organization_totals_organization_fkey REFERENCES organizations (id) ON DELETE CASCADE,
    projects INTEGER NOT NULL DEFAULT 0 CONSTRAINT organization_totals_projects_range CHECK (projects >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE project_totals (
    project_id BLOB NOT NULL PRIMARY KEY
        CONSTRAINT project_totals_project_fkey REFERENCES projects (id) ON DELETE CASCADE,
    access_scopes INTEGER NOT NULL DEFAULT 0 CONSTRAINT project_totals_access_scopes_range CHECK (access_scopes >= 0),
    actors INTEGER NOT NULL DEFAULT 0 CONSTRAINT project_totals_actors_range CHECK (actors >= 0),
    -- Those of them that are in no access scope.
    unscoped_actors INTEGER NOT NULL DEFAULT 0
        CONSTRAINT project_totals_unscoped_actors_range CHECK (unscoped_actors BETWEEN 0 AND actors)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_scope_totals (
    project_id BLOB NOT NULL,
    access_scope_id BLOB NOT NULL,
    actors INTEGER NOT NULL DEFAULT 0 CONSTRAINT access_scope_totals_actors_range CHECK (actors >= 0),
    CONSTRAINT access_scope_totals_pkey PRIMARY KEY (project_id, access_scope_id),
    CONSTRAINT access_scope_totals_access_scope_fkey FOREIGN KEY (project_id, access_scope_id)
        REFERENCES access_scopes (project_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO organization_totals
    SELECT id, (SELECT count(*) FROM projects WHERE organization_id = organizations.id) FROM organizations;
INSERT INTO project_totals
    SELECT id,
        (SELECT count(*) FROM access_scopes WHERE project_id = projects.id),
        (SELECT count(*) FROM actors WHERE project_id = projects.id),
        (SELECT count(*) FROM actors WHERE project_id = projects.id AND access_scope_id IS NULL)
    FROM projects;
INSERT INTO access_scope_totals
    SELECT project_id, id,
        (SELECT count(*) FROM actors WHERE project_id = access_scopes.project_id AND access_scope_id = access_scopes.id)
    FROM access_scopes;

CREATE TRIGGER organizations_begin_totals AFTER INSERT ON organizations
BEGIN
    INSERT INTO organization_totals (organization_id) VALUES (NEW.id);
END;

CREATE TRIGGER projects_count_new AFTER INSERT ON projects
BEGIN
    INSERT INTO project_totals (project_id) VALUES (NEW.id);
    UPDATE organization_totals SET projects = projects + 1 WHERE organization_id = NEW.organization_id;
END;
CREATE TRIGGER projects_count_gone AFTER DELETE ON projects
BEGIN
    UPDATE organization_totals SET projects = projects - 1 WHERE organization_id = OLD.organization_id;
END;

CREATE TRIGGER access_scopes_count_new AFTER INSERT ON access_scopes
BEGIN
    INSERT INTO access_scope_totals (project_id, access_scope_id) VALUES (NEW.project_id, NEW.id);
    UPDATE project_totals SET access_scopes = access_scopes + 1 WHERE project_id = NEW.project_id;
END;
CREATE TRIGGER access_scopes_count_gone AFTER DELETE ON access_scopes
BEGIN
    UPDATE project_totals SET access_scopes = access_scopes - 1 WHERE project_id = OLD.project_id;
END;

CREATE TRIGGER actors_count_new AFTER INSERT ON actors
BEGIN
    UPDATE project_totals
        SET actors = actors + 1, unscoped_actors = unscoped_actors + (NEW.access_scope_id IS NULL)
        WHERE project_id = NEW.project_id;
    UPDATE access_scope_totals SET actors = actors + 1
        WHERE project_id = NEW.project_id AND access_scope_id = NEW.access_scope_id;
END;
CREATE TRIGGER actors_count_gone AFTER DELETE ON actors
BEGIN
    UPDATE project_totals
        SET actors = actors - 1, unscoped_actors = unscoped_actors - (OLD.access_scope_id IS NULL)
        WHERE project_id = OLD.project_id;
    UPDATE access_scope_totals SET actors = actors - 1
        WHERE project_id = OLD.project_id AND access_scope_id = OLD.access_scope_id;
END;
-- An actor stays in its project.
CREATE TRIGGER actors_count_moved AFTER UPDATE OF access_scope_id ON actors
    WHEN NEW.access_scope_id IS NOT OLD.access_scope_id
BEGIN
    UPDATE project_totals
        SET unscoped_actors = unscoped_actors + (NEW.access_scope_id IS NULL) - (OLD.access_scope_id IS NULL)
        WHERE project_id = NEW.project_id AND (NEW.access_scope_id IS NULL) <> (OLD.access_scope_id IS NULL);
    UPDATE access_scope_totals SET actors = actors - 1
        WHERE project_id = OLD.project_id AND access_scope_id = OLD.access_scope_id;
    UPDATE access_scope_totals SET actors = actors + 1
        WHERE project_id = NEW.project_id AND access_scope_id = NEW.access_scope_id;
END;
