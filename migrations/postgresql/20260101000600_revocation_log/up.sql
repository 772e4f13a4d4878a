-- The ordered log of changes that take rights away (or make a token known). `seq` is taken from the one row of
-- `revocation_clock` inside the transaction, so that order of seq is order of commit: a sequence or rowid handed out
-- before commit would let a reader that polls "after the last I saw" skip a row that commits late.
CREATE TABLE revocation_clock (
    id smallint NOT NULL PRIMARY KEY CONSTRAINT revocation_clock_one_row CHECK (id = 1),
    n bigint NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0)
);
INSERT INTO revocation_clock (id, n) VALUES (1, 0);

CREATE TABLE revocation_log (
    seq bigint NOT NULL PRIMARY KEY CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched text NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    -- Of what is touched. No reference: an entry says what happened, whatever became of it.
    touched_id uuid NOT NULL,
    at timestamptz NOT NULL
);
