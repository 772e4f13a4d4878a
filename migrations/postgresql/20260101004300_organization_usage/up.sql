-- The uses of all of an organisation's tokens by hour, those of tokens that are gone included: an overview reads an hour as
-- one row, however many tokens there are.
CREATE TABLE organization_usage (
    organization_id uuid NOT NULL CONSTRAINT organization_usage_organization_fkey REFERENCES organizations (id),
    hour integer NOT NULL CONSTRAINT organization_usage_hour_range CHECK (hour >= 0),
    allowed bigint NOT NULL CONSTRAINT organization_usage_allowed_range CHECK (allowed >= 0),
    insufficient bigint NOT NULL CONSTRAINT organization_usage_insufficient_range CHECK (insufficient >= 0),
    denied bigint NOT NULL CONSTRAINT organization_usage_denied_range CHECK (denied >= 0),
    CONSTRAINT organization_usage_pkey PRIMARY KEY (organization_id, hour)
);
-- The oldest are forgotten first.
CREATE INDEX organization_usage_hour_idx ON organization_usage (hour);
INSERT INTO organization_usage
    SELECT tokens.organization_id, token_usage.hour, sum(token_usage.allowed)::bigint, sum(token_usage.insufficient)::bigint, sum(token_usage.denied)::bigint
    FROM token_usage JOIN tokens ON tokens.id = token_usage.token_id GROUP BY tokens.organization_id, token_usage.hour;
