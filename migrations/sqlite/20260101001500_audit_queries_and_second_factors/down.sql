ALTER TABLE organizations DROP COLUMN requires_second_factor;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP INDEX audit_events_at_idx;
DROP INDEX audit_events_actor_idx;
DROP INDEX audit_events_action_idx;
ALTER TABLE audit_heads DROP COLUMN at;
