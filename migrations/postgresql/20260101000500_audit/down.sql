DROP TABLE audit_events;
DROP TABLE audit_heads;
DROP FUNCTION refuse_audit_change();
