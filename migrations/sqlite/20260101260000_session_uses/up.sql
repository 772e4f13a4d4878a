-- When and from where each session was used last. Beside the sessions, not in them: a use is noted without waiting for the
-- row of a session, which changes by it hold.
CREATE TABLE session_uses (
    session_id BLOB NOT NULL PRIMARY KEY CONSTRAINT session_uses_session_fkey REFERENCES sessions (id) ON DELETE CASCADE,
    last_used_at INTEGER NOT NULL,
    -- An address without a port; not known where a front end signed the person in.
    address TEXT CONSTRAINT session_uses_address_length CHECK (length(address) BETWEEN 2 AND 45)
) STRICT, WITHOUT ROWID;
