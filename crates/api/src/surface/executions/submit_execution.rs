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

/// A coverage to record.
#[derive(Deserialize, ToSchema)]
struct SubmitExecution {
    /// Up to 200 characters; owners before slashes.
    #[schema(example = "acme/widgets")]
    repo: String,
    /// As git allows it, up to 255 characters.
    #[schema(example = "main")]
    branch: String,
    /// 4–64 hexadecimal digits. Required, under this name or as `head_sha`.
    #[schema(example = "9fceb02d0ae598e95dc970b74767f19372d61af8")]
    commit: Option<String>,
    /// Another name of `commit`.
    head_sha: Option<String>,
    /// Percent, 0–100, kept to four decimals.
    #[schema(value_type = f64, example = 83.1)]
    coverage: Coverage,
    /// What to measure it against, in percent, instead of the repository's baseline.
    #[schema(value_type = Option<f64>)]
    baseline: Option<Coverage>,
    /// The drop in points that warns; 0.5 if left out. The sign does not count.
    #[schema(value_type = Option<f64>, example = 0.5)]
    warn_threshold: Option<Threshold>,
    /// The drop in points that fails; 1 if left out. Not below `warn_threshold`.
    #[schema(value_type = Option<f64>, example = 1)]
    fail_threshold: Option<Threshold>,
    /// Whether a warning stops the build.
    strict_mode: Option<bool>,
    /// When it was measured; RFC 3339.
    timestamp: Option<String>,
}

/// Submit a coverage.
///
/// The server compares it with the baseline and decides. The first submission of a repository registers it; while a
/// repository has no baseline, a submission that brings none becomes it.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["execute"]), ("api_key" = ["execute"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key records nothing and is answered with the same execution.")),
    request_body = SubmitExecution,
    responses(
        (status = 201, description = "recorded", body = ExecutionView),
        (status = 200, description = "recorded before, with this Idempotency-Key", body = ExecutionView),
        (status = 409, description = "this Idempotency-Key was used for another submission", body = crate::error_body::Error),
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
