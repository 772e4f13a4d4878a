-- Alerts of code hosts whose secret is still to be fetched. An alert is there until it was worked off or given up.
CREATE TABLE leak_alerts (
    host text NOT NULL CONSTRAINT leak_alerts_host_known CHECK (host IN ('github', 'gitlab')),
    -- Where the secret is to be fetched: the JSON of what names the alert at its host.
    place text NOT NULL CONSTRAINT leak_alerts_place_length CHECK (length(place) BETWEEN 1 AND 2000),
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    -- When it is tried next. A node that works on it puts the moment off, so that no other does.
    due_at timestamptz NOT NULL,
    CONSTRAINT leak_alerts_pkey PRIMARY KEY (host, place)
);
CREATE INDEX leak_alerts_due_at_idx ON leak_alerts (due_at);
