-- A label without effect: the nearest of those that are left.
UPDATE actors SET actor_type = 'service' WHERE actor_type IN ('session', 'orchestrator', 'observer');
ALTER TABLE actors DROP COLUMN description;

PRAGMA writable_schema = ON;
UPDATE sqlite_schema
    SET sql = replace(sql, ', ''session'', ''orchestrator'', ''observer'')', ')')
    WHERE type = 'table' AND name = 'actors';
PRAGMA writable_schema = RESET;
