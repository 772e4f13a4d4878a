DROP TABLE token_leaks;
ALTER TABLE organizations DROP COLUMN leak_action;
