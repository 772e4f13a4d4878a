DROP TABLE nodes;
DROP TABLE revocation_log;
DROP TABLE revocation_clock;
CREATE TABLE revocation_clock (
    id smallint NOT NULL PRIMARY KEY CONSTRAINT revocation_clock_one_row CHECK (id = 1),
    n bigint NOT NULL CONSTRAINT revocation_clock_n_range CHECK (n >= 0),
    epoch bigint NOT NULL DEFAULT 0 CONSTRAINT revocation_clock_epoch_range CHECK (epoch >= 0)
);
INSERT INTO revocation_clock (id, n) VALUES (1, 0);
CREATE TABLE revocation_log (
    seq bigint NOT NULL PRIMARY KEY CONSTRAINT revocation_log_seq_range CHECK (seq >= 1),
    touched text NOT NULL
        CONSTRAINT revocation_log_touched_known CHECK (touched IN ('token', 'organization', 'created')),
    touched_id uuid NOT NULL,
    at timestamptz NOT NULL
);
