-- Members can be switched off in one organisation, and people invited to it.
ALTER TABLE memberships ADD COLUMN disabled_at INTEGER;
-- Members, newest first.
CREATE INDEX memberships_listing_idx ON memberships (organization_id, created_at, user_id);

-- An offer to join. Whoever accepts it takes its row away, so that no code counts twice.
CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT invitations_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT invitations_organization_fkey REFERENCES organizations (id),
    email TEXT NOT NULL CONSTRAINT invitations_email_length CHECK (length(email) BETWEEN 3 AND 254),
    email_key TEXT NOT NULL CONSTRAINT invitations_email_key_length CHECK (length(email_key) BETWEEN 3 AND 1024),
    built_in_role TEXT
        CONSTRAINT invitations_built_in_role_known CHECK (built_in_role IN ('owner', 'admin', 'member', 'viewer')),
    role_id BLOB,
    code_digest BLOB NOT NULL CONSTRAINT invitations_code_digest_length CHECK (length(code_digest) = 32),
    created_by TEXT NOT NULL CONSTRAINT invitations_created_by_length CHECK (length(created_by) BETWEEN 1 AND 64),
    -- The person who answers for it, if one does: it counts only while they could make it again.
    sponsor_id BLOB CONSTRAINT invitations_sponsor_fkey REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT invitations_email_key_key UNIQUE (organization_id, email_key),
    CONSTRAINT invitations_code_digest_key UNIQUE (code_digest),
    CONSTRAINT invitations_one_role CHECK ((built_in_role IS NULL) <> (role_id IS NULL)),
    CONSTRAINT invitations_expiry_ahead CHECK (expires_at > created_at),
    CONSTRAINT invitations_role_fkey FOREIGN KEY (organization_id, role_id) REFERENCES roles (organization_id, id)
) STRICT;
-- Listings, newest first.
CREATE INDEX invitations_listing_idx ON invitations (organization_id, created_at, id);
CREATE INDEX invitations_role_idx ON invitations (organization_id, role_id);
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at);
