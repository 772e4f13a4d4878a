-- Where a token was used from lately, at most five addresses a token. When is right to the minute: an address that goes on
-- using a token is noted once in each.
CREATE TABLE token_origins (
    token_id BLOB NOT NULL CONSTRAINT token_origins_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    -- An address without a port.
    address TEXT NOT NULL CONSTRAINT token_origins_address_length CHECK (length(address) BETWEEN 2 AND 45),
    -- What the client called itself; not known where a gateway asked on its behalf.
    agent TEXT CONSTRAINT token_origins_agent_length CHECK (length(agent) BETWEEN 1 AND 200),
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    CONSTRAINT token_origins_pkey PRIMARY KEY (token_id, address)
) STRICT, WITHOUT ROWID;

-- When a token last was found good for a scope that was asked for, by name; right to the hour.
CREATE TABLE token_scope_uses (
    token_id BLOB NOT NULL CONSTRAINT token_scope_uses_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    scope TEXT NOT NULL CONSTRAINT token_scope_uses_scope_length CHECK (length(scope) BETWEEN 1 AND 100),
    last_used_at INTEGER NOT NULL,
    CONSTRAINT token_scope_uses_pkey PRIMARY KEY (token_id, scope)
) STRICT, WITHOUT ROWID;
