DROP TABLE invitations;
DROP INDEX memberships_listing_idx;
ALTER TABLE memberships DROP COLUMN disabled_at;
