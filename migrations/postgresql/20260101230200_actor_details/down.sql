ALTER TABLE actors DROP CONSTRAINT actors_actor_type_known;
-- A label without effect: the nearest of those that are left.
UPDATE actors SET actor_type = 'service' WHERE actor_type IN ('session', 'orchestrator', 'observer');
ALTER TABLE actors ADD CONSTRAINT actors_actor_type_known CHECK (actor_type IN
    ('device', 'user', 'server', 'agent', 'service'));
ALTER TABLE actors DROP COLUMN description;
