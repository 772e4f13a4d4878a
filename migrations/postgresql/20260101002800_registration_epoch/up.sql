-- The number of the server that may change this database: a fencing token. Whoever takes the instance lock over raises
-- it, and a change takes its numbers of the log only under the epoch it was begun in, so a server that lost the lock
-- without knowing cannot commit a change that its successor does not see.
ALTER TABLE revocation_clock
    ADD COLUMN epoch bigint NOT NULL DEFAULT 0 CONSTRAINT revocation_clock_epoch_range CHECK (epoch >= 0);
