ALTER TABLE revocation_clock DROP COLUMN epoch;
