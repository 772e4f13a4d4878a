DROP TABLE revocation_log;
DROP TABLE revocation_clock;
