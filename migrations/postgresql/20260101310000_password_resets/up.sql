-- The code that was mailed to a person who forgot their password: whoever has it reads the mail of that address. One for each
-- person, valid for the address and the password they had when it was sent.
CREATE TABLE password_resets (
    user_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT password_resets_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    email_key text NOT NULL CONSTRAINT password_resets_email_key_length CHECK (length(email_key) BETWEEN 3 AND 1024),
    password_digest bytea NOT NULL
        CONSTRAINT password_resets_password_digest_length CHECK (length(password_digest) = 32),
    digest bytea NOT NULL CONSTRAINT password_resets_digest_length CHECK (length(digest) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_digest_idx ON password_resets (digest);
