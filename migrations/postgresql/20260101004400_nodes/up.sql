-- Any number of servers share one database. Each has a row here, follows the log of changes that take rights away, and
-- reports how far it has applied it; whoever revokes waits for these reports.
CREATE TABLE nodes (
    -- Drawn at random by each process when it registers, never used again.
    id uuid NOT NULL PRIMARY KEY,
    -- The rules by which nodes read the log and count leases. Nodes of two sets of rules do not serve together.
    protocol smallint NOT NULL,
    version text NOT NULL,
    -- The newest migration the program knows.
    migration text NOT NULL,
    -- Which key its tags are made with. The key itself is not stored here, nor anything it follows from.
    tag_key text NOT NULL,
    consistency text NOT NULL CONSTRAINT nodes_consistency_known CHECK (consistency IN ('strict', 'relaxed')),
    -- Another number with each report, by which a report is told from one that was there before.
    beat bigint NOT NULL,
    -- Of each shard of the log, the number of the last entry applied: 64 numbers, separated by commas.
    applied text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- One clock row for all would be held until the commit is durable, on the standby as well, and limit a deployment to one
-- change at a time. Each change takes its numbers from one of 64; within one, order of seq is order of commit.
-- What was logged so far served the memory of processes that are gone.
DROP TABLE revocation_log;
DROP TABLE revocation_clock;
CREATE TABLE revocation_clock (
    shard smallint NOT NULL PRIMARY KEY
        CONSTRAINT revocation_clock_shard_range CHECK (shard BETWEEN 0 AND 63),
    n bigint NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0)
) WITH (fillfactor = 25);
INSERT INTO revocation_clock (shard, n) SELECT shard, 0 FROM generate_series(0, 63) AS shards (shard);

CREATE TABLE revocation_log (
    shard smallint NOT NULL CONSTRAINT revocation_log_shard_range CHECK (shard BETWEEN 0 AND 63),
    seq bigint NOT NULL CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched text NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    -- Of what is touched. No reference: an entry says what happened, whatever became of it.
    touched_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (shard, seq)
);
