ALTER TABLE sessions DROP COLUMN proven_at;
ALTER TABLE users DROP COLUMN pending_email;
ALTER TABLE users DROP COLUMN email_verified_by;
ALTER TABLE users DROP COLUMN email_verified_at;
