-- What was told about a token: of its end, the shortest warning so far in days; of an address it had not been used from before,
-- the last time.
CREATE TABLE token_notices (
    token_id BLOB NOT NULL PRIMARY KEY
        CONSTRAINT token_notices_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    expiry_days INTEGER CONSTRAINT token_notices_expiry_days_positive CHECK (expiry_days > 0),
    address_at INTEGER
) STRICT, WITHOUT ROWID;

-- A token that was used from an address which it had not been used from before, noted in the transaction that wrote the address
-- down, until somebody is told. One for each token: of more at once the first is told.
CREATE TABLE address_notices (
    token_id BLOB NOT NULL PRIMARY KEY
        CONSTRAINT address_notices_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    address TEXT NOT NULL CONSTRAINT address_notices_address_length CHECK (length(address) BETWEEN 2 AND 45),
    agent TEXT CONSTRAINT address_notices_agent_length CHECK (length(agent) BETWEEN 1 AND 200),
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX address_notices_seen_at_idx ON address_notices (seen_at);

-- Mail that a person does not want.
CREATE TABLE muted_notices (
    user_id BLOB NOT NULL CONSTRAINT muted_notices_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    notice TEXT NOT NULL CONSTRAINT muted_notices_notice_known CHECK (notice IN ('token_expiring', 'token_new_address')),
    CONSTRAINT muted_notices_pkey PRIMARY KEY (user_id, notice)
) STRICT, WITHOUT ROWID;

-- Tokens by their end, for the warnings before it.
CREATE INDEX tokens_ending_idx ON tokens (expires_at, id) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

-- Told about every index of the table, as 20260101001800_token_filters does.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('tokens', 'tokens_ending_idx', '100000 2 1');
