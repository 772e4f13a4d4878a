-- The number of the server that may change this database: a fencing token. On SQLite the lock on the file decides and the
-- number stays 0; the column is here so that both databases have one schema.
ALTER TABLE revocation_clock
    ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0 CONSTRAINT revocation_clock_epoch_range CHECK (epoch >= 0);
