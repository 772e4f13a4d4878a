-- An index for each way to narrow a list of tokens to few of them, in the order of the list. Without these a page of rotating
-- tokens reads every token of the organisation, and PostgreSQL sorts what is left. Most tokens are in none of them: a live
-- one without an expiry that is bound to no project is made at no cost.

-- Rotating and revoked. The end of the grace, last, tells one from the other without a look at the row. A token gets here
-- when it is rotated or revoked; a change of these columns then touches every index, which costs 4 µs of some 15.
CREATE INDEX tokens_ended_idx ON tokens (organization_id, kind, created_at, id, grace_ends_at)
    WHERE revoked_at IS NOT NULL OR grace_ends_at IS NOT NULL;
CREATE INDEX tokens_owner_user_ended_idx ON tokens (owner_user_id, organization_id, created_at, id, grace_ends_at)
    WHERE owner_user_id IS NOT NULL AND (revoked_at IS NOT NULL OR grace_ends_at IS NOT NULL);
-- Expired, among those that expire at all; these cost one entry when they are made, a person's key two: 1 to 4 µs of
-- some 15.
CREATE INDEX tokens_expiring_idx ON tokens (organization_id, kind, created_at, id, expires_at)
    WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_owner_user_expiring_idx ON tokens (owner_user_id, organization_id, created_at, id, expires_at)
    WHERE owner_user_id IS NOT NULL AND expires_at IS NOT NULL;
-- Bound to a project, which is all that a caller bound to it sees; not the tokens of its actors, which are found by actor.
-- The organisation stands in it so that PostgreSQL, which may plan for an organisation of average size, has nothing to gain
-- from reading another index.
CREATE INDEX tokens_bound_idx ON tokens (organization_id, kind, project_id, created_at, id)
    WHERE project_id IS NOT NULL AND actor_id IS NULL;
