DROP INDEX tokens_ending_idx;
DROP TABLE muted_notices;
DROP TABLE address_notices;
DROP TABLE token_notices;
