-- Whether the organisation makes tokens of its own for workloads under trust policies alone.
ALTER TABLE organizations ADD COLUMN trust_only boolean NOT NULL DEFAULT false;
