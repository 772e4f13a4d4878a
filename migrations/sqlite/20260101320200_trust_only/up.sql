-- Whether the organisation makes tokens of its own for workloads under trust policies alone.
ALTER TABLE organizations ADD COLUMN trust_only INTEGER NOT NULL DEFAULT 0
    CONSTRAINT organizations_trust_only_bool CHECK (trust_only IN (0, 1));
