-- Endpoints of an organisation that are told of its events. The secret that signs what is sent is sealed under the tag key; after a
-- rotation the earlier one signs as well, until `previous_until`.
CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT webhooks_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT webhooks_organization_fkey REFERENCES organizations (id),
    url TEXT NOT NULL CONSTRAINT webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2048),
    description TEXT CONSTRAINT webhooks_description_length CHECK (length(description) BETWEEN 1 AND 500),
    -- Event types, separated by single spaces.
    events TEXT NOT NULL CONSTRAINT webhooks_events_length CHECK (length(events) BETWEEN 1 AND 4096),
    is_enabled INTEGER NOT NULL CONSTRAINT webhooks_is_enabled_bool CHECK (is_enabled IN (0, 1)),
    -- When the endpoint answered that it is gone for good, which disabled it.
    gone_at INTEGER,
    secret BLOB NOT NULL,
    previous_secret BLOB,
    previous_until INTEGER,
    -- Attempts that failed since the last one that succeeded.
    failures INTEGER NOT NULL,
    -- When the next of its deliveries is due; nothing where none waits, and while it is disabled.
    due_at INTEGER,
    -- Until when nobody sends to it: one node has it, or it rests after a failure.
    held_until INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT webhooks_previous_together CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
) STRICT;
CREATE INDEX webhooks_listing_idx ON webhooks (organization_id, id);
CREATE INDEX webhooks_due_at_idx ON webhooks (due_at) WHERE due_at IS NOT NULL;

-- What is sent to an endpoint, written in the transaction of the event. The id is that of the event, the same for all endpoints
-- and at every attempt. Exactly one of the three moments is there: due, delivered or failed.
CREATE TABLE webhook_deliveries (
    webhook_id BLOB NOT NULL CONSTRAINT webhook_deliveries_webhook_fkey REFERENCES webhooks (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    event TEXT NOT NULL CONSTRAINT webhook_deliveries_event_length CHECK (length(event) BETWEEN 1 AND 100),
    body TEXT NOT NULL CONSTRAINT webhook_deliveries_body_length CHECK (length(body) BETWEEN 2 AND 65536),
    attempts INTEGER NOT NULL,
    -- When it was queued: when the event happened, or when it was replayed last.
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    delivered_at INTEGER,
    failed_at INTEGER,
    -- Of the last attempt: when, the status it was answered with, or why there was no answer.
    attempted_at INTEGER,
    status INTEGER,
    error TEXT CONSTRAINT webhook_deliveries_error_length CHECK (length(error) BETWEEN 1 AND 100),
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (webhook_id, id),
    CONSTRAINT webhook_deliveries_one_state CHECK (
        (CASE WHEN due_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN delivered_at IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN failed_at IS NULL THEN 0 ELSE 1 END) = 1
    )
) STRICT;
CREATE INDEX webhook_deliveries_due_at_idx ON webhook_deliveries (webhook_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_created_at_idx ON webhook_deliveries (created_at);
-- What waits too long.
CREATE INDEX webhook_deliveries_waiting_idx ON webhook_deliveries (webhook_id, created_at) WHERE due_at IS NOT NULL;

-- Whether the organisation has an enabled webhook. Kept at the end of its trail, which every change reads and locks: an
-- organisation without webhooks pays nothing for those of others, and no event is missed while one is made.
ALTER TABLE audit_heads ADD COLUMN has_webhooks INTEGER NOT NULL DEFAULT 0
    CONSTRAINT audit_heads_has_webhooks_bool CHECK (has_webhooks IN (0, 1));
