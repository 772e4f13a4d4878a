-- What a trail is asked for: by action, by actor, by time. Its head remembers the time of its last event, so that times
-- never go back along a trail and a time is a place in it.
ALTER TABLE audit_heads ADD COLUMN at timestamptz NOT NULL DEFAULT to_timestamp(0);
UPDATE audit_heads
    SET at = coalesce((SELECT max(e.at) FROM audit_events e WHERE e.trail = audit_heads.trail), to_timestamp(0));
CREATE INDEX audit_events_action_idx ON audit_events (trail, action, seq);
CREATE INDEX audit_events_actor_idx ON audit_events (trail, actor, seq);
CREATE INDEX audit_events_at_idx ON audit_events (trail, at, seq);

-- Second factors of people: time-based one-time passwords (RFC 6238), and recovery codes for when the device is lost.
CREATE TABLE second_factors (
    user_id uuid NOT NULL PRIMARY KEY CONSTRAINT second_factors_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    -- Sealed under a key that is not in the database.
    sealed_secret bytea NOT NULL
        CONSTRAINT second_factors_sealed_secret_length CHECK (length(sealed_secret) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL,
    -- Set once a first code has shown that the secret arrived; without it the factor does not count.
    confirmed_at timestamptz,
    -- The time step of the last code that was accepted: no step is accepted twice.
    last_step bigint NOT NULL CONSTRAINT second_factors_last_step_range CHECK (last_step >= 0)
);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL CONSTRAINT recovery_codes_factor_fkey REFERENCES second_factors (user_id) ON DELETE CASCADE,
    digest bytea NOT NULL CONSTRAINT recovery_codes_digest_length CHECK (length(digest) = 32),
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, digest)
);

ALTER TABLE organizations ADD COLUMN requires_second_factor boolean NOT NULL DEFAULT false;
