//! `POST /v1/executions`: records a coverage and returns the verdict for the build.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use authority::executions::{Executions, Submission, Submitted};
use serde::{Deserialize, Serialize};
use token_domain::execution::{BranchName, Coverage, Strictness, Threshold};
use utoipa::ToSchema;

use super::view::ExecutionView;
use super::{Judged, commit, moment};
use crate::surface::permission::SubmitCoverage;
use crate::surface::tokens::idempotency;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The coverage run to record.
#[derive(Deserialize, ToSchema)]
struct SubmitExecution {
    /// The name of the repository, up to 200 characters, such as `owner/name`.
    #[schema(example = "acme/widgets")]
    repo: String,
    /// The name of the branch, up to 255 characters.
    #[schema(example = "main")]
    branch: String,
    /// 4–64 hexadecimal digits. Required, under this name or as `head_sha`.
    #[schema(example = "9fceb02d0ae598e95dc970b74767f19372d61af8")]
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
    /// The time of the measurement (RFC 3339).
    timestamp: Option<String>,
}

/// Submit a coverage run.
///
/// The server compares the coverage with the baseline and returns the verdict. The first submission of a repository
/// registers it. If the repository has no baseline, a submission without one becomes the baseline.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["execute"]), ("api_key" = ["execute"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key records nothing and returns the same execution.")),
    request_body = SubmitExecution,
    responses(
        (status = 201, description = "Recorded.", body = ExecutionView),
        (status = 200, description = "Already recorded with this Idempotency-Key.", body = ExecutionView),
        (status = 409, description = "This Idempotency-Key was used for another submission.", body = crate::error_body::Error),
    )
)]
#[post("/v1/executions")]
pub(super) async fn submit_execution(
    who: Authorized<SubmitCoverage>,
    request: HttpRequest,
    executions: Data<Executions>,
    Json(body): Json<SubmitExecution>,
) -> ApiResult<HttpResponse> {
    let submission = body.read()?;
    let idempotency = idempotency::of(&request, &asked(&submission))?;
    let submission = Submission { idempotency, ..submission };
    Ok(match executions.submit(&who.caller, submission, &who.origin).await.map_err(failing::execution)? {
        Submitted::Recorded(execution) => HttpResponse::Created().json(ExecutionView::from(execution)),
        Submitted::Replayed(execution) => HttpResponse::Ok().json(ExecutionView::from(execution)),
    })
}

impl SubmitExecution {
    fn read(self) -> ApiResult<Submission> {
        let commit = commit(self.commit.as_deref(), self.head_sha.as_deref())?;
        let judged = Judged {
            repo: self.repo,
            coverage: self.coverage,
            baseline: self.baseline,
            warn_threshold: self.warn_threshold,
            fail_threshold: self.fail_threshold,
            strict_mode: self.strict_mode,
        };
        Ok(Submission {
            measurement: judged.read()?,
            branch: BranchName::parse(&self.branch).map_err(|error| ApiError::invalid("branch", error.to_string()))?,
            commit: commit.ok_or_else(|| ApiError::invalid("commit", "is required"))?,
            measured_at: moment(self.timestamp.as_deref())?,
            idempotency: None,
        })
    }
}

/// The submission in a canonical form, by which idempotency compares two requests.
fn asked(submission: &Submission) -> impl Serialize {
    let measurement = &submission.measurement;
    (
        measurement.repository.clone(),
        submission.branch.clone(),
        submission.commit.clone(),
        measurement.coverage,
        measurement.baseline,
        (measurement.thresholds.warn(), measurement.thresholds.fail()),
        measurement.strictness == Strictness::Strict,
        submission.measured_at.map(token_domain::Timestamp::as_micros),
    )
}
