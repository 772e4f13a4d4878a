ALTER TABLE organizations DROP COLUMN trust_only;
