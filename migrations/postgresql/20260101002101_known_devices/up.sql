-- Devices that people signed in from: limits on strangers pass them over, also after a restart.
CREATE TABLE known_devices (
    -- Account, network and client, under a key that is not in the database: nobody reads from it who was where.
    digest bytea NOT NULL PRIMARY KEY CONSTRAINT known_devices_digest_length CHECK (length(digest) = 32),
    user_id uuid NOT NULL CONSTRAINT known_devices_user_fkey REFERENCES users (id) ON DELETE CASCADE,
    seen_at timestamptz NOT NULL
);
CREATE INDEX known_devices_user_idx ON known_devices (user_id, seen_at);
CREATE INDEX known_devices_seen_at_idx ON known_devices (seen_at);
