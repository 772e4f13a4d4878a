-- What an organisation asks of its tokens, one row a kind; a kind without a row is asked nothing. Lengths in microseconds.
CREATE TABLE token_policies (
    organization_id uuid NOT NULL CONSTRAINT token_policies_organization_fkey REFERENCES organizations (id),
    kind text NOT NULL CONSTRAINT token_policies_kind_known CHECK (kind IN ('organization', 'personal', 'actor')),
    is_permitted boolean NOT NULL,
    default_lifetime bigint CONSTRAINT token_policies_default_lifetime_positive CHECK (default_lifetime > 0),
    longest_lifetime bigint CONSTRAINT token_policies_longest_lifetime_positive CHECK (longest_lifetime > 0),
    idle_after bigint CONSTRAINT token_policies_idle_after_positive CHECK (idle_after > 0),
    -- Scope names, separated by single spaces; nothing where any will do.
    scopes text CONSTRAINT token_policies_scopes_length CHECK (length(scopes) BETWEEN 1 AND 8192),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL CONSTRAINT token_policies_updated_by_length CHECK (length(updated_by) BETWEEN 1 AND 64),
    CONSTRAINT token_policies_pkey PRIMARY KEY (organization_id, kind),
    CONSTRAINT token_policies_default_within_longest CHECK (default_lifetime <= longest_lifetime),
    -- An actor's token ends when its actor does.
    CONSTRAINT token_policies_actors_end_themselves CHECK (
        kind <> 'actor' OR (default_lifetime IS NULL AND longest_lifetime IS NULL)
    )
);
