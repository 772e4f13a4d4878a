DROP TABLE nodes;
DROP TABLE revocation_log;
DROP TABLE revocation_clock;
CREATE TABLE revocation_clock (
    id INTEGER NOT NULL PRIMARY KEY CONSTRAINT revocation_clock_one_row CHECK (id = 1),
    n INTEGER NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0),
    epoch INTEGER NOT NULL DEFAULT 0 CONSTRAINT revocation_clock_epoch_range CHECK (epoch >= 0)
) STRICT;
INSERT INTO revocation_clock (id, n) VALUES (1, 0);
CREATE TABLE revocation_log (
    seq INTEGER NOT NULL PRIMARY KEY CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched TEXT NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    touched_id BLOB NOT NULL CONSTRAINT revocation_log_touched_id_length CHECK (length(touched_id) = 16),
    at INTEGER NOT NULL
) STRICT;
