-- How many entries lists by page have, so that nobody counts them: kept by the database with every row that comes, goes or
-- moves, whoever writes it. In tables of their own, so that a row of a list is not written because its list grew. They come
-- and go with what they are of. Room is left in each page, so that a change stays within it.
CREATE TABLE organization_totals (
    organization_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT organization_totals_organization_fkey REFERENCES organizations (id) ON DELETE CASCADE,
    projects bigint NOT NULL DEFAULT 0 CONSTRAINT organization_totals_projects_range CHECK (projects >= 0)
) WITH (fillfactor = 50);

CREATE TABLE project_totals (
    project_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT project_totals_project_fkey REFERENCES projects (id) ON DELETE CASCADE,
    access_scopes bigint NOT NULL DEFAULT 0 CONSTRAINT project_totals_access_scopes_range CHECK (access_scopes >= 0),
    actors bigint NOT NULL DEFAULT 0 CONSTRAINT project_totals_actors_range CHECK (actors >= 0),
    -- Those of them that are in no access scope.
    unscoped_actors bigint NOT NULL DEFAULT 0
        CONSTRAINT project_totals_unscoped_actors_range CHECK (unscoped_actors BETWEEN 0 AND actors)
) WITH (fillfactor = 50);

CREATE TABLE access_scope_totals (
    project_id uuid NOT NULL,
    access_scope_id uuid NOT NULL,
    actors bigint NOT NULL DEFAULT 0 CONSTRAINT access_scope_totals_actors_range CHECK (actors >= 0),
    CONSTRAINT access_scope_totals_pkey PRIMARY KEY (project_id, access_scope_id),
    CONSTRAINT access_scope_totals_access_scope_fkey FOREIGN KEY (project_id, access_scope_id)
        REFERENCES access_scopes (project_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Once a statement, however many rows it is about: as many versions of one row as a project has actors, in one
-- transaction, would be looked through one by one for each next. Each part has its own statement, so that the row is found
-- by its key whatever the planner thinks of the number of parts; projects before access scopes and each by id, so that two
-- statements at once wait for each other and nobody forever.
CREATE FUNCTION begin_organization_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO organization_totals (organization_id) SELECT id FROM changed;
    RETURN NULL;
END;
$$;
CREATE TRIGGER organizations_begin_totals AFTER INSERT ON organizations
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION begin_organization_totals();

CREATE FUNCTION count_projects() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part record;
    sign CONSTANT bigint := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO project_totals (project_id) SELECT id FROM changed;
    END IF;
    FOR part IN
        SELECT organization_id, sign * count(*) AS projects FROM changed GROUP BY organization_id ORDER BY organization_id
    LOOP
        UPDATE organization_totals t SET projects = t.projects + part.projects
            WHERE t.organization_id = part.organization_id;
    END LOOP;
    RETURN NULL;
END;
$$;
CREATE TRIGGER projects_count_new AFTER INSERT ON projects
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_projects();
CREATE TRIGGER projects_count_gone AFTER DELETE ON projects
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_projects();

CREATE FUNCTION count_access_scopes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part record;
    sign CONSTANT bigint := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO access_scope_totals (project_id, access_scope_id) SELECT project_id, id FROM changed;
    END IF;
    FOR part IN
        SELECT project_id, sign * count(*) AS access_scopes FROM changed GROUP BY project_id ORDER BY project_id
    LOOP
        UPDATE project_totals t SET access_scopes = t.access_scopes + part.access_scopes
            WHERE t.project_id = part.project_id;
    END LOOP;
    RETURN NULL;
END;
$$;
CREATE TRIGGER access_scopes_count_new AFTER INSERT ON access_scopes
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_access_scopes();
CREATE TRIGGER access_scopes_count_gone AFTER DELETE ON access_scopes
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_access_scopes();

CREATE FUNCTION count_actors() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part record;
    sign CONSTANT bigint := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
    FOR part IN
        SELECT project_id, sign * count(*) AS actors, sign * (count(*) - count(access_scope_id)) AS unscoped_actors
        FROM changed GROUP BY project_id ORDER BY project_id
    LOOP
        UPDATE project_totals t
            SET actors = t.actors + part.actors, unscoped_actors = t.unscoped_actors + part.unscoped_actors
            WHERE t.project_id = part.project_id;
    END LOOP;
    FOR part IN
        SELECT project_id, access_scope_id, sign * count(*) AS actors
        FROM changed WHERE access_scope_id IS NOT NULL GROUP BY project_id, access_scope_id
        ORDER BY project_id, access_scope_id
    LOOP
        UPDATE access_scope_totals t SET actors = t.actors + part.actors
            WHERE t.project_id = part.project_id AND t.access_scope_id = part.access_scope_id;
    END LOOP;
    RETURN NULL;
END;
$$;
CREATE TRIGGER actors_count_new AFTER INSERT ON actors
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_actors();
CREATE TRIGGER actors_count_gone AFTER DELETE ON actors
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_actors();

-- An actor stays in its project. What did not move cancels out.
CREATE FUNCTION count_moved_actors() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT project_id, access_scope_id, sum(n) AS actors
        FROM (
            SELECT project_id, access_scope_id, -1 AS n FROM before
            UNION ALL
            SELECT project_id, access_scope_id, 1 FROM after
        ) AS moves
        GROUP BY project_id, access_scope_id HAVING sum(n) <> 0
        ORDER BY project_id, access_scope_id NULLS FIRST
    LOOP
        IF part.access_scope_id IS NULL THEN
            UPDATE project_totals t SET unscoped_actors = t.unscoped_actors + part.actors
                WHERE t.project_id = part.project_id;
        ELSE
            UPDATE access_scope_totals t SET actors = t.actors + part.actors
                WHERE t.project_id = part.project_id AND t.access_scope_id = part.access_scope_id;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
CREATE TRIGGER actors_count_moved AFTER UPDATE ON actors
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_moved_actors();

-- The triggers above keep writers out until all of this is committed, so nothing is missed and nothing counted twice.
INSERT INTO organization_totals
    SELECT o.id, count(p.id) FROM organizations o LEFT JOIN projects p ON p.organization_id = o.id GROUP BY o.id;
INSERT INTO project_totals
    SELECT p.id,
        (SELECT count(*) FROM access_scopes s WHERE s.project_id = p.id),
        (SELECT count(*) FROM actors a WHERE a.project_id = p.id),
        (SELECT count(*) FROM actors a WHERE a.project_id = p.id AND a.access_scope_id IS NULL)
    FROM projects p;
INSERT INTO access_scope_totals
    SELECT s.project_id, s.id, count(a.id)
    FROM access_scopes s LEFT JOIN actors a ON a.project_id = s.project_id AND a.access_scope_id = s.id
    GROUP BY s.project_id, s.id;

-- Pages are found in an index alone. The ones of slugs are those of the keys, which therefore hold the id as well.
ALTER TABLE projects DROP CONSTRAINT projects_slug_key,
    ADD CONSTRAINT projects_slug_key UNIQUE (organization_id, slug) INCLUDE (id);
ALTER TABLE access_scopes DROP CONSTRAINT access_scopes_slug_key,
    ADD CONSTRAINT access_scopes_slug_key UNIQUE (project_id, slug) INCLUDE (id);
-- An index alone tells which rows are there once the table was vacuumed. By default that is when a fifth of it is new.
ALTER TABLE projects SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE access_scopes SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE actors SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
