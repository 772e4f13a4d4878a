ALTER TABLE organizations ALTER COLUMN slug TYPE text COLLATE "default";
DROP TABLE invitations;
DROP INDEX memberships_listing_idx;
ALTER TABLE memberships DROP COLUMN disabled_at;
