-- Audit trails: one per organisation and one of the deployment itself (trail = the nil UUID). Each is a hash chain;
-- `audit_heads` holds its end and is the lock that orders appends. Events are never changed nor removed.
CREATE TABLE audit_heads (
    trail uuid NOT NULL PRIMARY KEY,
    seq bigint NOT NULL CONSTRAINT audit_heads_seq_range CHECK (seq >= 0),
    hash bytea NOT NULL CONSTRAINT audit_heads_hash_length CHECK (length(hash) = 32)
);

CREATE TABLE audit_events (
    trail uuid NOT NULL CONSTRAINT audit_events_trail_fkey REFERENCES audit_heads (trail),
    seq bigint NOT NULL CONSTRAINT audit_events_seq_range CHECK (seq >= 1),
    at timestamptz NOT NULL,
    action text NOT NULL CONSTRAINT audit_events_action_length CHECK (length(action) BETWEEN 1 AND 100),
    actor text NOT NULL CONSTRAINT audit_events_actor_length CHECK (length(actor) BETWEEN 1 AND 64),
    target_kind text NOT NULL CONSTRAINT audit_events_target_kind_length CHECK (length(target_kind) <= 100),
    target_id text NOT NULL CONSTRAINT audit_events_target_id_length CHECK (length(target_id) <= 255),
    request_id text NOT NULL CONSTRAINT audit_events_request_id_length CHECK (length(request_id) <= 255),
    -- A JSON object, as hashed.
    detail text NOT NULL,
    prev_hash bytea NOT NULL CONSTRAINT audit_events_prev_hash_length CHECK (length(prev_hash) = 32),
    hash bytea NOT NULL CONSTRAINT audit_events_hash_length CHECK (length(hash) = 32),
    CONSTRAINT audit_events_pkey PRIMARY KEY (trail, seq)
);
CREATE INDEX audit_events_target_idx ON audit_events (trail, target_id, seq);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only';
END;
$$;
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
