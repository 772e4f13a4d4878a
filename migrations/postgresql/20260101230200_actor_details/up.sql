ALTER TABLE actors ADD COLUMN description text
    CONSTRAINT actors_description_length CHECK (length(description) BETWEEN 1 AND 500);
ALTER TABLE actors DROP CONSTRAINT actors_actor_type_known;
-- True of every row there is, since it takes more than the one before: no row has to be looked at.
ALTER TABLE actors ADD CONSTRAINT actors_actor_type_known CHECK (actor_type IN
    ('device', 'user', 'server', 'agent', 'service', 'session', 'orchestrator', 'observer')) NOT VALID;
