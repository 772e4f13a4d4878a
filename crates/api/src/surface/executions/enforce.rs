//! `POST /v1/enforcements`: the verdict for a submission, without recording it.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::executions::Executions;
use serde::{Deserialize, Serialize};
use token_domain::execution::{BranchName, Coverage, Threshold};
use utoipa::ToSchema;

use super::view::Verdict;
use super::{Judged, commit};
use crate::surface::permission::SubmitCoverage;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The coverage to evaluate. Same as a submission, with `branch` and `commit` optional.
#[derive(Deserialize, ToSchema)]
struct Enforce {
    #[schema(example = "acme/widgets")]
    repo: String,
    branch: Option<String>,
    commit: Option<String>,
    /// An alternative name of `commit`.
    head_sha: Option<String>,
    /// The coverage in percent: 0–100, with up to four decimals.
    #[schema(value_type = f64, example = 83.1)]
    coverage: Coverage,
    /// The baseline to compare with, in percent. Defaults to the baseline of the repository.
    #[schema(value_type = Option<f64>)]
    baseline: Option<Coverage>,
    /// The drop in percentage points from which the build gets a warning. Defaults to 0.5. The sign is ignored.
    #[schema(value_type = Option<f64>, example = 0.5)]
    warn_threshold: Option<Threshold>,
    /// The drop in percentage points from which the build fails. Defaults to 1. Must not be below `warn_threshold`.
    #[schema(value_type = Option<f64>, example = 1)]
    fail_threshold: Option<Threshold>,
    /// Whether a warning also fails the build.
    strict_mode: Option<bool>,
}

/// The verdict for the build.
#[derive(Serialize, ToSchema)]
struct Enforcement {
    repo: String,
    branch: Option<String>,
    commit: Option<String>,
    #[schema(value_type = f64, example = 83.1)]
    coverage: Coverage,
    /// The baseline that was compared with; the coverage itself if there was none.
    #[schema(value_type = f64, example = 83.6)]
    baseline: Coverage,
    #[serde(flatten)]
    verdict: Verdict,
}

/// Evaluate a coverage without recording it.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["execute"]), ("api_key" = ["execute"])),
    request_body = Enforce,
    responses((status = 200, body = Enforcement))
)]
#[post("/v1/enforcements")]
pub(super) async fn enforce(
    who: Authorized<SubmitCoverage>,
    executions: Data<Executions>,
    Json(body): Json<Enforce>,
) -> ApiResult<web::Json<Enforcement>> {
    let branch = body.branch.as_deref().map(BranchName::parse).transpose();
    let branch = branch.map_err(|error| ApiError::invalid("branch", error.to_string()))?;
    let commit = commit(body.commit.as_deref(), body.head_sha.as_deref())?;
    let measurement = body.judged().read()?;
    let evaluation = executions.enforce(&who.caller, &measurement).await.map_err(failing::execution)?;
    Ok(web::Json(Enforcement {
        repo: measurement.repository.to_string(),
        branch: branch.map(|branch| branch.to_string()),
        commit: commit.map(|commit| commit.to_string()),
        coverage: measurement.coverage,
        baseline: evaluation.baseline,
        verdict: evaluation.into(),
    }))
}

impl Enforce {
    fn judged(self) -> Judged {
        Judged {
            repo: self.repo,
            coverage: self.coverage,
            baseline: self.baseline,
            warn_threshold: self.warn_threshold,
            fail_threshold: self.fail_threshold,
            strict_mode: self.strict_mode,
        }
    }
}
