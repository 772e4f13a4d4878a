//! Coverage: submissions of builds, the baselines they are measured against, and their repositories.

mod enforce;
mod get_baseline;
mod get_execution;
mod list_baseline_history;
mod list_executions;
mod list_repositories;
mod set_baseline;
mod submit_execution;
mod view;

use authority::executions::{Measurement, Named};
use token_domain::Timestamp;
use token_domain::execution::{CommitHash, Coverage, RepositoryName, Strictness, Threshold, Thresholds};
use token_domain::id::ExecutionId;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::surface::path::{Operations, Segment, Unreadable};
use edge::error::{ApiError, ApiResult};
use edge::routes::closed;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(submit_execution::submit_execution)
        .service(list_executions::list_executions)
        .service(get_execution::get_execution)
        .service(enforce::enforce)
        .service(get_baseline::get_baseline)
        .service(list_baseline_history::list_baseline_history);
    // To set the baseline of a repository named `…/history`, clients write its last slash as `%2F`.
    closed(config, "/v1/baselines/{repo:.+}/history");
    config.service(set_baseline::set_baseline).service(list_repositories::list_repositories);
}

impl Segment<Operations> for ExecutionId {
    const NAME: &'static str = "execution_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// In paths the pattern of a repository spans segments, so that its slashes may be written as they are or as `%2F`.
impl Segment<Operations> for RepositoryName {
    const NAME: &'static str = "repo";
    const UNREADABLE: Unreadable = Unreadable::Invalid(
        r#"must be a repository such as acme/widgets: no empty, . or .. part, none of \ : * ? " < > | # %"#,
    );

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// The fields about coverage that all bodies with one have in common.
struct Judged {
    repo: String,
    coverage: Coverage,
    baseline: Option<Coverage>,
    warn_threshold: Option<Threshold>,
    fail_threshold: Option<Threshold>,
    strict_mode: Option<bool>,
}

impl Judged {
    fn read(self) -> ApiResult<Measurement> {
        let thresholds = Thresholds::new(self.warn_threshold, self.fail_threshold);
        Ok(Measurement {
            repository: repository(&self.repo)?,
            coverage: self.coverage,
            baseline: self.baseline,
            thresholds: thresholds.map_err(|error| ApiError::invalid("warn_threshold", error.to_string()))?,
            strictness: Strictness::from(self.strict_mode.unwrap_or_default()),
        })
    }
}

fn repository(text: &str) -> ApiResult<RepositoryName> {
    RepositoryName::parse(text).map_err(|error| ApiError::invalid("repo", error.to_string()))
}

/// The commit, by either name of its field.
fn commit(commit: Option<&str>, head_sha: Option<&str>) -> ApiResult<Option<CommitHash>> {
    let read = |field: &'static str, text: Option<&str>| {
        text.map(CommitHash::parse).transpose().map_err(|error| ApiError::invalid(field, error.to_string()))
    };
    match (read("commit", commit)?, read("head_sha", head_sha)?) {
        (Some(commit), Some(same)) if commit != same => {
            Err(ApiError::invalid("head_sha", "must be the same as commit"))
        }
        (Some(commit), _) | (None, Some(commit)) => Ok(Some(commit)),
        (None, None) => Ok(None),
    }
}

fn moment(text: Option<&str>) -> ApiResult<Option<Timestamp>> {
    let moment = text.map(Timestamp::parse_rfc3339).transpose();
    moment.map_err(|error| ApiError::invalid("timestamp", error.to_string()))
}

/// The required parameters `org` and `repo`.
fn named_repository(org: Option<&str>, repo: Option<&str>) -> ApiResult<(Named, RepositoryName)> {
    let there = |name: &'static str, value: Option<&str>| {
        value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| ApiError::missing_parameter(name))
    };
    let (org, repo) = (there("org", org)?, there("repo", repo)?);
    Ok((Named::new(&org), repository(&repo)?))
}
