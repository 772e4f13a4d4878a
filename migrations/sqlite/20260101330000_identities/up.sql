-- Whom the identity provider of an organisation knows people as: by issuer and subject, which is never given to somebody else, as
-- an address may be. For each organisation apart: the provider of one says nothing about people of another. A link outlives the
-- membership, so that a person who was removed is known when they come back.
CREATE TABLE identities (
    organization_id BLOB NOT NULL CONSTRAINT identities_organization_fkey REFERENCES organizations (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL CONSTRAINT identities_issuer_length CHECK (length(issuer) BETWEEN 1 AND 512),
    subject TEXT NOT NULL CONSTRAINT identities_subject_length CHECK (length(subject) BETWEEN 1 AND 255),
    user_id BLOB NOT NULL CONSTRAINT identities_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, issuer, subject),
    CONSTRAINT identities_user_key UNIQUE (user_id, organization_id, issuer)
) STRICT, WITHOUT ROWID;

-- The identity provider that a session was made by; nothing for a password or the word of a front end.
ALTER TABLE sessions ADD COLUMN provider TEXT CONSTRAINT sessions_provider_length CHECK (length(provider) BETWEEN 1 AND 64);
