-- The code that was mailed to an address which a person asked for: whoever has it reads the mail of that address. One for each
-- person, good for that address alone.
CREATE TABLE address_codes (
    user_id uuid NOT NULL PRIMARY KEY
        CONSTRAINT address_codes_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    email_key text NOT NULL CONSTRAINT address_codes_email_key_length CHECK (length(email_key) BETWEEN 3 AND 1024),
    digest bytea NOT NULL CONSTRAINT address_codes_digest_length CHECK (length(digest) = 32),
    expires_at timestamptz NOT NULL
);
