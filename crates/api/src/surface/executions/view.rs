//! Executions and baselines as the wire shows them. Times are UTC to the second.

use authority::records::{Baseline, Execution};
use serde::Serialize;
use token_domain::Timestamp;
use token_domain::execution::{Coverage, Delta, Evaluation, Outcome, RepositoryName, Strictness, Threshold};
use utoipa::ToSchema;

/// A recorded submission and its verdict.
#[derive(Serialize, ToSchema)]
#[schema(as = Execution)]
pub(super) struct ExecutionView {
    /// The id of the execution.
    #[schema(example = "exe_01kf0h4s5xe0x9c1zq4h8y2m3n")]
    id: String,
    #[schema(example = "acme/widgets")]
    repo: String,
    branch: String,
    commit: String,
    /// The coverage in percent.
    #[schema(value_type = f64, example = 83.1)]
    coverage: Coverage,
    /// The baseline that was compared with, in percent; the coverage itself if there was none.
    #[schema(value_type = f64, example = 83.6)]
    baseline: Coverage,
    #[serde(flatten)]
    verdict: Verdict,
    created_at: String,
}

/// The change of the coverage and its consequence.
#[derive(Serialize, ToSchema)]
pub(super) struct Verdict {
    /// The coverage minus the baseline in percentage points, with a sign and two decimals.
    #[schema(value_type = String, example = "-0.50")]
    delta: Delta,
    /// `pass`, `warn` or `fail`.
    #[schema(value_type = String, example = "warn")]
    outcome: Outcome,
    /// The exit code for the build: 1 on failure, and on a warning in strict mode.
    exit_code: u8,
}

/// An execution with all its details.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionDetail {
    #[serde(flatten)]
    execution: ExecutionView,
    /// The drop in percentage points from which the build gets a warning.
    #[schema(value_type = f64, example = 0.5)]
    warn_threshold: Threshold,
    /// The drop in percentage points from which the build fails.
    #[schema(value_type = f64, example = 1)]
    fail_threshold: Threshold,
    strict_mode: bool,
    /// The time of the measurement, if it is known.
    timestamp: Option<String>,
    /// Who submitted the execution: `user:<id>` or `token:<id>`.
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

/// A coverage baseline.
#[derive(Serialize, ToSchema)]
#[schema(as = Baseline)]
pub(super) struct BaselineView {
    repo: String,
    /// The coverage in percent.
    #[schema(value_type = f64, example = 83.6)]
    coverage: Coverage,
    /// The commit that was measured, if it is known.
    commit: Option<String>,
    /// The time of the measurement.
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
