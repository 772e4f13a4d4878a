-- How often a token was presented in an hour and what became of it; an hour without a use has no row. Hours are numbered
-- from 1970-01-01T00:00:00Z.
CREATE TABLE token_usage (
    token_id uuid NOT NULL CONSTRAINT token_usage_token_fkey REFERENCES tokens (id) ON DELETE CASCADE,
    hour integer NOT NULL CONSTRAINT token_usage_hour_range CHECK (hour >= 0),
    allowed bigint NOT NULL CONSTRAINT token_usage_allowed_range CHECK (allowed >= 0),
    insufficient bigint NOT NULL CONSTRAINT token_usage_insufficient_range CHECK (insufficient >= 0),
    denied bigint NOT NULL CONSTRAINT token_usage_denied_range CHECK (denied >= 0),
    CONSTRAINT token_usage_pkey PRIMARY KEY (token_id, hour)
);
-- The oldest are forgotten first.
CREATE INDEX token_usage_hour_idx ON token_usage (hour);
