-- Mail that waits to be sent, written in the transaction of the change it tells of. It holds no secret: codes are drawn when a
-- message is sent, and only their digests are kept.
CREATE TABLE outbox (
    id uuid NOT NULL PRIMARY KEY,
    -- In whose trail it is recorded when the message has to be dropped; nothing: in the deployment's.
    organization_id uuid,
    recipient text NOT NULL CONSTRAINT outbox_recipient_length CHECK (length(recipient) BETWEEN 3 AND 254),
    letter text NOT NULL CONSTRAINT outbox_letter_length CHECK (length(letter) BETWEEN 2 AND 8192),
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX outbox_due_at_idx ON outbox (due_at);

-- The codes that were mailed with invitations: whoever has one reads the mail of the invited address, which the code in the
-- answer to the inviting person does not show.
CREATE TABLE mailed_invitations (
    invitation_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT mailed_invitations_invitation_fkey REFERENCES invitations (id) ON DELETE CASCADE,
    digest bytea NOT NULL CONSTRAINT mailed_invitations_digest_length CHECK (length(digest) = 32)
);
CREATE UNIQUE INDEX mailed_invitations_digest_idx ON mailed_invitations (digest);
