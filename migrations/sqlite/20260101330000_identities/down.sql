-- A session by a provider would count in every organisation of its person.
DELETE FROM sessions WHERE provider IS NOT NULL;
ALTER TABLE sessions DROP COLUMN provider;
DROP TABLE identities;
