-- Repositories known through their coverage, the baselines they are measured against, and what builds submitted.
-- Percentages are whole ten-thousandths of a point: 831000 is 83.1 percent.

CREATE TABLE repositories (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT repositories_organization_fkey REFERENCES organizations (id),
    -- Compared byte by byte, as SQLite does, so that pages in the order of names are the same on both.
    name text COLLATE "C" NOT NULL CONSTRAINT repositories_name_length CHECK (length(name) BETWEEN 1 AND 200),
    -- Kept in step with the rows of `executions`, so that a list need not count them.
    execution_count bigint NOT NULL CONSTRAINT repositories_execution_count_range CHECK (execution_count >= 0),
    -- What the last submission said; it outlives the submission, which may be forgotten.
    last_coverage integer
        CONSTRAINT repositories_last_coverage_range CHECK (last_coverage BETWEEN 0 AND 1000000),
    last_submitted_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT repositories_name_key UNIQUE (organization_id, name),
    CONSTRAINT repositories_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT repositories_last_whole CHECK ((last_coverage IS NULL) = (last_submitted_at IS NULL))
);

-- Append-only: the baseline in force is the one with the highest number.
CREATE TABLE baselines (
    repository_id uuid NOT NULL CONSTRAINT baselines_repository_fkey REFERENCES repositories (id),
    seq bigint NOT NULL CONSTRAINT baselines_seq_range CHECK (seq >= 1),
    coverage integer NOT NULL CONSTRAINT baselines_coverage_range CHECK (coverage BETWEEN 0 AND 1000000),
    commit_hash text CONSTRAINT baselines_commit_hash_length CHECK (length(commit_hash) BETWEEN 4 AND 64),
    -- When it was measured, by whoever measured it.
    measured_at timestamptz NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL CONSTRAINT baselines_set_by_length CHECK (length(set_by) BETWEEN 1 AND 64),
    CONSTRAINT baselines_pkey PRIMARY KEY (repository_id, seq)
);

CREATE TABLE executions (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    repository_id uuid NOT NULL,
    branch text COLLATE "C" NOT NULL CONSTRAINT executions_branch_length CHECK (length(branch) BETWEEN 1 AND 255),
    commit_hash text NOT NULL CONSTRAINT executions_commit_hash_length CHECK (length(commit_hash) BETWEEN 4 AND 64),
    coverage integer NOT NULL CONSTRAINT executions_coverage_range CHECK (coverage BETWEEN 0 AND 1000000),
    -- What it was measured against; its own coverage where there was nothing.
    baseline integer NOT NULL CONSTRAINT executions_baseline_range CHECK (baseline BETWEEN 0 AND 1000000),
    warn_threshold integer NOT NULL CONSTRAINT executions_warn_threshold_range CHECK (warn_threshold >= 0),
    fail_threshold integer NOT NULL CONSTRAINT executions_fail_threshold_range CHECK (fail_threshold <= 1000000),
    is_strict boolean NOT NULL,
    -- What the build was told, whatever the rules become.
    outcome text NOT NULL CONSTRAINT executions_outcome_known CHECK (outcome IN ('pass', 'warn', 'fail')),
    measured_at timestamptz,
    submitted_by text NOT NULL
        CONSTRAINT executions_submitted_by_length CHECK (length(submitted_by) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL,
    CONSTRAINT executions_thresholds_ordered CHECK (warn_threshold <= fail_threshold),
    CONSTRAINT executions_repository_fkey FOREIGN KEY (organization_id, repository_id)
        REFERENCES repositories (organization_id, id)
);
-- Listings, newest first.
CREATE INDEX executions_listing_idx ON executions (repository_id, created_at, id);
-- The last of a branch, for its badge.
CREATE INDEX executions_branch_idx ON executions (repository_id, branch, created_at, id);
-- What is old enough to be forgotten.
CREATE INDEX executions_created_at_idx ON executions (created_at);

-- What a submission with an `Idempotency-Key` recorded, so that a retry is answered with the same execution.
CREATE TABLE execution_keys (
    organization_id uuid NOT NULL CONSTRAINT execution_keys_organization_fkey REFERENCES organizations (id),
    principal text NOT NULL CONSTRAINT execution_keys_principal_length CHECK (length(principal) BETWEEN 1 AND 64),
    key text NOT NULL CONSTRAINT execution_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_digest bytea NOT NULL
        CONSTRAINT execution_keys_request_digest_length CHECK (length(request_digest) = 32),
    execution_id uuid NOT NULL
        CONSTRAINT execution_keys_execution_fkey REFERENCES executions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    CONSTRAINT execution_keys_pkey PRIMARY KEY (organization_id, principal, key)
);
CREATE INDEX execution_keys_created_at_idx ON execution_keys (created_at);
CREATE INDEX execution_keys_execution_idx ON execution_keys (execution_id);
