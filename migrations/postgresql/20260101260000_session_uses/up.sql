-- When and from where each session was used last. Beside the sessions, not in them: a use is noted without waiting for the
-- row of a session, which changes by it hold.
CREATE TABLE session_uses (
    session_id uuid NOT NULL CONSTRAINT session_uses_pkey PRIMARY KEY
        CONSTRAINT session_uses_session_fkey REFERENCES sessions (id) ON DELETE CASCADE,
    last_used_at timestamptz NOT NULL,
    -- An address without a port; not known where a front end signed the person in.
    address text CONSTRAINT session_uses_address_length CHECK (length(address) BETWEEN 2 AND 45)
);
