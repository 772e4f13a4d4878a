-- What signing in stands on. An address counts for something once somebody has verified it: an operator, for the whole
-- deployment, or an organisation whose invitation was accepted with it, for itself.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
-- The organisation that vouches for the address; nothing where an operator does.
ALTER TABLE users ADD COLUMN email_verified_by BLOB;
-- An address that the person asked for and nobody verified. Not unique, and never looked up: it counts for nothing.
ALTER TABLE users ADD COLUMN pending_email TEXT;
-- When the person proved by password or second factor that they are at the session; nothing where a front end vouched for them.
ALTER TABLE sessions ADD COLUMN proven_at INTEGER;

-- Whoever is here came by an invitation of the organisation they joined first, or made it. Addresses that were changed since
-- have been verified by nobody.
UPDATE users SET email_verified_at = created_at, email_verified_by = (
    SELECT organization_id FROM memberships WHERE user_id = users.id ORDER BY created_at, organization_id LIMIT 1
)
WHERE lower(hex(id)) NOT IN (
    SELECT replace(target_id, '-', '') FROM audit_events
    WHERE action = 'user.update' AND target_kind = 'user' AND detail LIKE '%"email_changed":true%'
);
