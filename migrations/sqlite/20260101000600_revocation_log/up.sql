-- The ordered log of changes that take rights away (or make a token known). `seq` is taken from the one row of
-- `revocation_clock` inside the transaction, so that order of seq is order of commit: a sequence or rowid handed out
-- before commit would let a reader that polls "after the last I saw" skip a row that commits late.
CREATE TABLE revocation_clock (
    id INTEGER NOT NULL PRIMARY KEY CONSTRAINT revocation_clock_one_row CHECK (id = 1),
    n INTEGER NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0)
) STRICT;
INSERT INTO revocation_clock (id, n) VALUES (1, 0);

CREATE TABLE revocation_log (
    seq INTEGER NOT NULL PRIMARY KEY CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched TEXT NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    -- Of what is touched. No reference: an entry says what happened, whatever became of it.
    touched_id BLOB NOT NULL CONSTRAINT revocation_log_touched_id_length CHECK (length(touched_id) = 16),
    at INTEGER NOT NULL
) STRICT;
