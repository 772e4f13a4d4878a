-- `INSERT OR REPLACE` removes the row in its way without the trigger on deletion, unless recursive triggers are switched on,
-- which is up to each connection. An event that is there is therefore never inserted again.
CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
WHEN EXISTS (SELECT 1 FROM audit_events WHERE trail = NEW.trail AND seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;
-- The same by the rowid, by which a row can be replaced as well.
CREATE TRIGGER audit_events_no_replace_by_rowid BEFORE INSERT ON audit_events
WHEN NEW.rowid > 0 AND EXISTS (SELECT 1 FROM audit_events WHERE rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;
