-- Mail that waits to be sent, written in the transaction of the change it tells of. It holds no secret: codes are drawn when a
-- message is sent, and only their digests are kept.
CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT outbox_id_length CHECK (length(id) = 16),
    -- In whose trail it is recorded when the message has to be dropped; nothing: in the deployment's.
    organization_id BLOB,
    recipient TEXT NOT NULL CONSTRAINT outbox_recipient_length CHECK (length(recipient) BETWEEN 3 AND 254),
    letter TEXT NOT NULL CONSTRAINT outbox_letter_length CHECK (length(letter) BETWEEN 2 AND 8192),
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due_at_idx ON outbox (due_at);

-- The codes that were mailed with invitations: whoever has one reads the mail of the invited address, which the code in the
-- answer to the inviting person does not show.
CREATE TABLE mailed_invitations (
    invitation_id BLOB NOT NULL PRIMARY KEY
        CONSTRAINT mailed_invitations_invitation_fkey REFERENCES invitations (id) ON DELETE CASCADE,
    digest BLOB NOT NULL CONSTRAINT mailed_invitations_digest_length CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mailed_invitations_digest_idx ON mailed_invitations (digest);
