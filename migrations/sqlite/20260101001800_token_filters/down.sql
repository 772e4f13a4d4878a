DELETE FROM sqlite_stat1 WHERE tbl IN ('tokens', 'audit_events', 'actors');
DROP INDEX tokens_bound_idx;
DROP INDEX tokens_owner_user_expiring_idx;
DROP INDEX tokens_expiring_idx;
DROP INDEX tokens_owner_user_ended_idx;
DROP INDEX tokens_ended_idx;
