-- An index for each way to narrow a list of tokens to few of them, in the order of the list. Without these a page of rotating
-- tokens reads every token of the organisation, and PostgreSQL sorts what is left. Most tokens are in none of them: a live
-- one without an expiry that is bound to no project is made at no cost.

-- Rotating and revoked. The end of the grace, last, tells one from the other without a look at the row. A token gets here
-- when it is rotated or revoked, which costs 1 to 2 µs of some 7.
CREATE INDEX tokens_ended_idx ON tokens (organization_id, kind, created_at, id, grace_ends_at)
    WHERE revoked_at IS NOT NULL OR grace_ends_at IS NOT NULL;
CREATE INDEX tokens_owner_user_ended_idx ON tokens (owner_user_id, organization_id, created_at, id, grace_ends_at)
    WHERE owner_user_id IS NOT NULL AND (revoked_at IS NOT NULL OR grace_ends_at IS NOT NULL);
-- Expired, among those that expire at all; these cost one entry when they are made, a person's key two: 1 to 2 µs of some 12.
CREATE INDEX tokens_expiring_idx ON tokens (organization_id, kind, created_at, id, expires_at)
    WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_owner_user_expiring_idx ON tokens (owner_user_id, organization_id, created_at, id, expires_at)
    WHERE owner_user_id IS NOT NULL AND expires_at IS NOT NULL;
-- Bound to a project, which is all that a caller bound to it sees; not the tokens of its actors, which are found by actor.
-- The organisation stands in it so that PostgreSQL, which may plan for an organisation of average size, has nothing to gain
-- from reading another index.
CREATE INDEX tokens_bound_idx ON tokens (organization_id, kind, project_id, created_at, id)
    WHERE project_id IS NOT NULL AND actor_id IS NULL;

-- Nobody counts rows for SQLite, and what it assumes is ten to each value: with that every index of a table looks as good as
-- any other, and it takes one that leaves a hundred thousand. So it is told, once and for all deployments, what a large one
-- looks like: rows in the index, then rows for one value of its first column, of its first two, and so on.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1 WHERE tbl IN ('tokens', 'audit_events', 'actors');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tokens', 'sqlite_autoindex_tokens_1', '1000000 1'),
    ('tokens', 'sqlite_autoindex_tokens_2', '1000000 1'),
    ('tokens', 'tokens_lookup_hint_idx', '1000000 1'),
    ('tokens', 'tokens_listing_idx', '1000000 100000 50000 1 1'),
    ('tokens', 'tokens_ended_idx', '300000 30000 15000 1 1 1'),
    ('tokens', 'tokens_expiring_idx', '300000 30000 15000 1 1 1'),
    ('tokens', 'tokens_owner_user_idx', '300000 1000 1000 1 1'),
    ('tokens', 'tokens_owner_user_ended_idx', '100000 300 300 1 1 1'),
    ('tokens', 'tokens_owner_user_expiring_idx', '100000 300 300 1 1 1'),
    ('tokens', 'tokens_actor_idx', '300000 10 1 1'),
    ('tokens', 'tokens_project_idx', '300000 3000 1000'),
    ('tokens', 'tokens_bound_idx', '100000 10000 5000 500 1 1'),
    ('tokens', 'tokens_rotated_from_idx', '300000 1'),
    ('audit_events', 'sqlite_autoindex_audit_events_1', '10000000 100000 1'),
    ('audit_events', 'audit_events_at_idx', '10000000 100000 1 1'),
    ('audit_events', 'audit_events_action_idx', '10000000 100000 5000 1'),
    ('audit_events', 'audit_events_actor_idx', '10000000 100000 1000 1'),
    ('audit_events', 'audit_events_target_idx', '10000000 100000 10 1'),
    ('actors', 'sqlite_autoindex_actors_1', '1000000 1'),
    ('actors', 'sqlite_autoindex_actors_2', '1000000 100000 1'),
    ('actors', 'actors_project_name_idx', '1000000 100000 1 1'),
    ('actors', 'actors_project_created_idx', '1000000 100000 1 1'),
    ('actors', 'actors_project_updated_idx', '1000000 100000 1 1'),
    ('actors', 'actors_access_scope_name_idx', '900000 90000 1000 1 1'),
    ('actors', 'actors_access_scope_idx', '1000000 100000 1000 1 1'),
    ('actors', 'actors_access_scope_updated_idx', '900000 90000 1000 1 1'),
    ('actors', 'actors_unscoped_name_idx', '100000 10000 1 1'),
    ('actors', 'actors_unscoped_created_idx', '100000 10000 1 1'),
    ('actors', 'actors_unscoped_updated_idx', '100000 10000 1 1');
