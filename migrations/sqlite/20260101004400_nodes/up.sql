-- On PostgreSQL any number of servers share one database, and each has a row here. An SQLite file is served by one
-- process, and its table stays empty; it is here so that both databases have one schema.
CREATE TABLE nodes (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT nodes_id_length CHECK (length(id) = 16),
    protocol INTEGER NOT NULL,
    version TEXT NOT NULL,
    migration TEXT NOT NULL,
    tag_key TEXT NOT NULL,
    consistency TEXT NOT NULL CONSTRAINT nodes_consistency_known CHECK (consistency IN ('strict', 'relaxed')),
    beat INTEGER NOT NULL,
    applied TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- PostgreSQL numbers changes in 64 shards. With one writer there is nothing to win: one shard.
DROP TABLE revocation_log;
DROP TABLE revocation_clock;
CREATE TABLE revocation_clock (
    shard INTEGER NOT NULL PRIMARY KEY
        CONSTRAINT revocation_clock_shard_range CHECK (shard BETWEEN 0 AND 63),
    n INTEGER NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0)
) STRICT;
INSERT INTO revocation_clock (shard, n) VALUES (0, 0);

CREATE TABLE revocation_log (
    shard INTEGER NOT NULL CONSTRAINT revocation_log_shard_range CHECK (shard BETWEEN 0 AND 63),
    seq INTEGER NOT NULL CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched TEXT NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    -- Of what is touched. No reference: an entry says what happened, whatever became of it.
    touched_id BLOB NOT NULL CONSTRAINT revocation_log_touched_id_length CHECK (length(touched_id) = 16),
    at INTEGER NOT NULL,
    PRIMARY KEY (shard, seq)
) STRICT;
