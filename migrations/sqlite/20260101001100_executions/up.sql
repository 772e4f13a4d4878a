-- Repositories known through their coverage, the baselines they are measured against, and what builds submitted.
-- Percentages are whole ten-thousandths of a point: 831000 is 83.1 percent.

CREATE TABLE repositories (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT repositories_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CONSTRAINT repositories_organization_fkey REFERENCES organizations (id),
    name TEXT NOT NULL CONSTRAINT repositories_name_length CHECK (length(name) BETWEEN 1 AND 200),
    -- Kept in step with the rows of `executions`, so that a list need not count them.
    execution_count INTEGER NOT NULL CONSTRAINT repositories_execution_count_range CHECK (execution_count >= 0),
    -- What the last submission said; it outlives the submission, which may be forgotten.
    last_coverage INTEGER
        CONSTRAINT repositories_last_coverage_range CHECK (last_coverage BETWEEN 0 AND 1000000),
    last_submitted_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT repositories_name_key UNIQUE (organization_id, name),
    CONSTRAINT repositories_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT repositories_last_whole CHECK ((last_coverage IS NULL) = (last_submitted_at IS NULL))
) STRICT;

-- Append-only: the baseline in force is the one with the highest number.
CREATE TABLE baselines (
    repository_id BLOB NOT NULL CONSTRAINT baselines_repository_fkey REFERENCES repositories (id),
    seq INTEGER NOT NULL CONSTRAINT baselines_seq_range CHECK (seq >= 1),
    coverage INTEGER NOT NULL CONSTRAINT baselines_coverage_range CHECK (coverage BETWEEN 0 AND 1000000),
    commit_hash TEXT CONSTRAINT baselines_commit_hash_length CHECK (length(commit_hash) BETWEEN 4 AND 64),
    -- When it was measured, by whoever measured it.
    measured_at INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL CONSTRAINT baselines_set_by_length CHECK (length(set_by) BETWEEN 1 AND 64),
    CONSTRAINT baselines_pkey PRIMARY KEY (repository_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE executions (
    id BLOB NOT NULL PRIMARY KEY CONSTRAINT executions_id_length CHECK (length(id) = 16),
    organization_id BLOB NOT NULL,
    repository_id BLOB NOT NULL,
    branch TEXT NOT NULL CONSTRAINT executions_branch_length CHECK (length(branch) BETWEEN 1 AND 255),
    commit_hash TEXT NOT NULL CONSTRAINT executions_commit_hash_length CHECK (length(commit_hash) BETWEEN 4 AND 64),
    coverage INTEGER NOT NULL CONSTRAINT executions_coverage_range CHECK (coverage BETWEEN 0 AND 1000000),
    -- What it was measured against; its own coverage where there was nothing.
    baseline INTEGER NOT NULL CONSTRAINT executions_baseline_range CHECK (baseline BETWEEN 0 AND 1000000),
    warn_threshold INTEGER NOT NULL CONSTRAINT executions_warn_threshold_range CHECK (warn_threshold >= 0),
    fail_threshold INTEGER NOT NULL CONSTRAINT executions_fail_threshold_range CHECK (fail_threshold <= 1000000),
    is_strict INTEGER NOT NULL CONSTRAINT executions_is_strict_bool CHECK (is_strict IN (0, 1)),
    -- What the build was told, whatever the rules become.
    outcome TEXT NOT NULL CONSTRAINT executions_outcome_known CHECK (outcome IN ('pass', 'warn', 'fail')),
    measured_at INTEGER,
    submitted_by TEXT NOT NULL
        CONSTRAINT executions_submitted_by_length CHECK (length(submitted_by) BETWEEN 1 AND 64),
    created_at INTEGER NOT NULL,
    CONSTRAINT executions_thresholds_ordered CHECK (warn_threshold <= fail_threshold),
    CONSTRAINT executions_repository_fkey FOREIGN KEY (organization_id, repository_id)
        REFERENCES repositories (organization_id, id)
) STRICT;
-- Listings, newest first.
CREATE INDEX executions_listing_idx ON executions (repository_id, created_at, id);
-- The last of a branch, for its badge.
CREATE INDEX executions_branch_idx ON executions (repository_id, branch, created_at, id);
-- What is old enough to be forgotten.
CREATE INDEX executions_created_at_idx ON executions (created_at);

-- What a submission with an `Idempotency-Key` recorded, so that a retry is answered with the same execution.
CREATE TABLE execution_keys (
    organization_id BLOB NOT NULL CONSTRAINT execution_keys_organization_fkey REFERENCES organizations (id),
    principal TEXT NOT NULL CONSTRAINT execution_keys_principal_length CHECK (length(principal) BETWEEN 1 AND 64),
    key TEXT NOT NULL CONSTRAINT execution_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_digest BLOB NOT NULL
        CONSTRAINT execution_keys_request_digest_length CHECK (length(request_digest) = 32),
    execution_id BLOB NOT NULL
        CONSTRAINT execution_keys_execution_fkey REFERENCES executions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    CONSTRAINT execution_keys_pkey PRIMARY KEY (organization_id, principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX execution_keys_created_at_idx ON execution_keys (created_at);
CREATE INDEX execution_keys_execution_idx ON execution_keys (execution_id);
