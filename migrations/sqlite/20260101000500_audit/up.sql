-- Audit trails: one per organisation and one of the deployment itself (trail = the nil UUID). Each is a hash chain;
-- `audit_heads` holds its end and is the lock that orders appends. Events are never changed nor removed.
CREATE TABLE audit_heads (
    trail BLOB NOT NULL PRIMARY KEY CONSTRAINT audit_heads_trail_length CHECK (length(trail) = 16),
    seq INTEGER NOT NULL CONSTRAINT audit_heads_seq_range CHECK (seq >= 0),
    hash BLOB NOT NULL CONSTRAINT audit_heads_hash_length CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_events (
    trail BLOB NOT NULL CONSTRAINT audit_events_trail_fkey REFERENCES audit_heads (trail),
    seq INTEGER NOT NULL CONSTRAINT audit_events_seq_range CHECK (seq >= 1),
    at INTEGER NOT NULL,
    action TEXT NOT NULL CONSTRAINT audit_events_action_length CHECK (length(action) BETWEEN 1 AND 100),
    actor TEXT NOT NULL CONSTRAINT audit_events_actor_length CHECK (length(actor) BETWEEN 1 AND 64),
    target_kind TEXT NOT NULL CONSTRAINT audit_events_target_kind_length CHECK (length(target_kind) <= 100),
    target_id TEXT NOT NULL CONSTRAINT audit_events_target_id_length CHECK (length(target_id) <= 255),
    request_id TEXT NOT NULL CONSTRAINT audit_events_request_id_length CHECK (length(request_id) <= 255),
    -- A JSON object, as hashed.
    detail TEXT NOT NULL,
    prev_hash BLOB NOT NULL CONSTRAINT audit_events_prev_hash_length CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CONSTRAINT audit_events_hash_length CHECK (length(hash) = 32),
    CONSTRAINT audit_events_pkey PRIMARY KEY (trail, seq)
) STRICT;
CREATE INDEX audit_events_target_idx ON audit_events (trail, target_id, seq);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;
