-- What is done with an organisation's tokens that others report as leaked.
ALTER TABLE organizations ADD COLUMN leak_action text NOT NULL DEFAULT 'revoke'
    CONSTRAINT organizations_leak_action_known CHECK (leak_action IN ('notify', 'rotate_grace_1h', 'revoke'));

-- Tokens that were reported as leaked, and the most that was done about each: the same report again does nothing more.
CREATE TABLE token_leaks (
    token_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT token_leaks_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    action text NOT NULL CONSTRAINT token_leaks_action_known CHECK (action IN ('notify', 'rotate_grace_1h', 'revoke')),
    source text NOT NULL CONSTRAINT token_leaks_source_known CHECK (source IN ('holder', 'github', 'gitlab')),
    reported_at timestamptz NOT NULL
);
