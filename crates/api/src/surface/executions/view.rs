//! Executions and baselines as the wire shows them. Times are UTC to the second.

use authority::records::{Baseline, Execution};
use serde::Serialize;
use token_domain::Timestamp;
use token_domain::execution::{Coverage, Delta, Evaluation, Outcome, RepositoryName, Strictness, Threshold};
use utoipa::ToSchema;

/// A recorded submission and what its build is told.
#[derive(Serialize, ToSchema)]
#[schema(as = Execution)]
pub(super) struct ExecutionView {
    /// Its id.
    #[schema(example = "exe_01kf0h4s5xe0x9c1zq4h8y2m3n")]
    id: String,
    #[schema(example = "acme/widgets")]
    repo: String,
    branch: String,
    commit: String,
    /// Percent.
    #[schema(value_type = f64, example = 83.1)]
    coverage: Coverage,
    /// What it was measured against, in percent; its own coverage where there was nothing.
    #[schema(value_type = f64, example = 83.6)]
    baseline: Coverage,
    #[serde(flatten)]
    verdict: Verdict,
    created_at: String,
}

/// How far a coverage moved and what that means.
#[derive(Serialize, ToSchema)]
pub(super) struct Verdict {
    /// Coverage less baseline, in points, with a sign and two places.
    #[schema(value_type = String, example = "-0.50")]
    delta: Delta,
    /// `pass`, `warn` or `fail`.
    #[schema(value_type = String, example = "warn")]
    outcome: Outcome,
    /// What the build should exit with: 1 on failure, and on a warning in strict mode.
    exit_code: u8,
}

/// An execution with everything that is known of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionDetail {
    #[serde(flatten)]
    execution: ExecutionView,
    /// From which drop on it warned, in points.
    #[schema(value_type = f64, example = 0.5)]
    warn_threshold: Threshold,
    /// From which drop on it failed, in points.
    #[schema(value_type = f64, example = 1)]
    fail_threshold: Threshold,
    strict_mode: bool,
    /// When it was measured, if the build said.
    timestamp: Option<String>,
    /// `user:<id>` or `token:<id>`.
    submitted_by: String,
}

/// An execution in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionEntry {
    id: String,
    repo: String,
    branch: String,
    /// `pass`, `warn` or `fail`.
    #[schema(value_type = String, example = "pass")]
    outcome: Outcome,
    #[schema(value_type = String, example = "+2.30")]
    delta: Delta,
    created_at: String,
}

/// A baseline.
#[derive(Serialize, ToSchema)]
#[schema(as = Baseline)]
pub(super) struct BaselineView {
    repo: String,
    /// Percent.
    #[schema(value_type = f64, example = 83.6)]
    coverage: Coverage,
    /// The commit it was measured on, if that was said.
    commit: Option<String>,
    /// When it was measured.
    timestamp: String,
}

impl From<Evaluation> for Verdict {
    fn from(evaluation: Evaluation) -> Self {
        Self { delta: evaluation.delta, outcome: evaluation.outcome, exit_code: evaluation.exit_code }
    }
}

impl From<Execution> for ExecutionView {
    fn from(execution: Execution) -> Self {
        Self {
            id: execution.id.to_string(),
            repo: execution.repository.to_string(),
            branch: execution.branch.to_string(),
            commit: execution.commit.to_string(),
            coverage: execution.coverage,
            baseline: execution.baseline,
            verdict: execution.evaluation().into(),
            created_at: execution.created_at.rfc3339_seconds(),
        }
    }
}

impl From<Execution> for ExecutionDetail {
    fn from(execution: Execution) -> Self {
        Self {
            warn_threshold: execution.thresholds.warn(),
            fail_threshold: execution.thresholds.fail(),
            strict_mode: execution.strictness == Strictness::Strict,
            timestamp: execution.measured_at.map(Timestamp::rfc3339_seconds),
            submitted_by: execution.submitted_by.to_string(),
            execution: execution.into(),
        }
    }
}

impl From<Execution> for ExecutionEntry {
    fn from(execution: Execution) -> Self {
        Self {
            id: execution.id.to_string(),
            delta: execution.delta(),
            repo: execution.repository.to_string(),
            branch: execution.branch.to_string(),
            outcome: execution.outcome,
            created_at: execution.created_at.rfc3339_seconds(),
        }
    }
}

impl BaselineView {
    pub(super) fn new(repository: &RepositoryName, baseline: Baseline) -> Self {
        Self {
            repo: repository.to_string(),
            coverage: baseline.coverage,
            commit: baseline.commit.map(|commit| commit.to_string()),
            timestamp: baseline.measured_at.rfc3339_seconds(),
        }
    }
}
