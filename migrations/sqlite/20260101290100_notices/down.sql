DELETE FROM sqlite_stat1 WHERE idx = 'tokens_ending_idx';
DROP INDEX tokens_ending_idx;
DROP TABLE muted_notices;
DROP TABLE address_notices;
DROP TABLE token_notices;
