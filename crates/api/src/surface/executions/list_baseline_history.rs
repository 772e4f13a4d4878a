//! `GET /v1/baselines/{repo}/history`: the baselines a repository had, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::Executions;
use authority::records::Baseline;
use serde::Serialize;
use token_domain::execution::{Coverage, RepositoryName};
use utoipa::ToSchema;

use crate::surface::page::ShortPageQuery;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of the baselines of a repository.
#[derive(Serialize, ToSchema)]
struct BaselineHistory {
    repo: String,
    history: Vec<BaselineEntry>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// A current or past baseline.
#[derive(Serialize, ToSchema)]
struct BaselineEntry {
    /// The coverage in percent.
    #[schema(value_type = f64, example = 83.6)]
    coverage: Coverage,
    commit: Option<String>,
    /// The time of the measurement.
    timestamp: String,
    /// The time at which the baseline was set.
    set_at: String,
    /// Who set the baseline: `user:<id>` or `token:<id>`.
    set_by: String,
}

/// List the past and current baselines of a repository.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(("repo" = String, Path, description = "The name of the repository. Slashes may be sent as they are or as `%2F`."), ShortPageQuery),
    responses((status = 200, body = BaselineHistory))
)]
#[get("/v1/baselines/{repo:.+}/history")]
pub(super) async fn list_baseline_history(
    who: Authorized<ReadCoverage>,
    PathParam(repository): PathParam<RepositoryName>,
    executions: Data<Executions>,
    Query(page): Query<ShortPageQuery>,
) -> ApiResult<web::Json<BaselineHistory>> {
    let before = page.after(number)?;
    let page = executions.baseline_history(&who.caller, repository.clone(), before, page.limit.0).await;
    let page = page.map_err(failing::execution)?;
    Ok(web::Json(BaselineHistory {
        repo: repository.to_string(),
        history: page.baselines.into_iter().map(BaselineEntry::from).collect(),
        next_cursor: page.next.map(|seq| seq.to_string()),
    }))
}

/// Parses the cursor, which is the number of a baseline.
fn number(cursor: &str) -> Result<i64, ()> {
    cursor.parse().ok().filter(|seq: &i64| *seq > 0 && seq.to_string() == cursor).ok_or(())
}

impl From<Baseline> for BaselineEntry {
    fn from(baseline: Baseline) -> Self {
        Self {
            coverage: baseline.coverage,
            commit: baseline.commit.map(|commit| commit.to_string()),
            timestamp: baseline.measured_at.rfc3339_seconds(),
            set_at: baseline.set_at.rfc3339_seconds(),
            set_by: baseline.set_by.to_string(),
        }
    }
}
