//! `PUT /v1/baselines/{repo}`: sets a baseline by hand.

use actix_web::put;
use actix_web::web::{self, Data};
use authority::executions::{Executions, NewBaseline};
use serde::Deserialize;
use token_domain::execution::{Coverage, RepositoryName};
use utoipa::ToSchema;

use super::view::BaselineView;
use super::{commit, moment};
use crate::surface::path::PathParam;
use crate::surface::permission::SubmitCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// A baseline to put in force.
#[derive(Deserialize, ToSchema)]
struct SetBaseline {
    /// Percent, 0–100, kept to four decimals.
    #[schema(value_type = f64, example = 83.6)]
    coverage: Coverage,
    /// The commit it was measured on.
    commit: Option<String>,
    /// Another name of `commit`.
    head_sha: Option<String>,
    /// When it was measured; RFC 3339. Now, if left out.
    timestamp: Option<String>,
}

/// Set a repository's baseline.
///
/// Registers the repository if it is new. Setting what is in force already changes nothing.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["execute"]), ("api_key" = ["execute"])),
    params(("repo" = String, Path, description = "the repository; its slashes as they are or as %2F")),
    request_body = SetBaseline,
    responses((status = 200, description = "in force", body = BaselineView))
)]
#[put("/v1/baselines/{repo:.+}")]
pub(super) async fn set_baseline(
    who: Authorized<SubmitCoverage>,
    PathParam(repository): PathParam<RepositoryName>,
    executions: Data<Executions>,
    Json(body): Json<SetBaseline>,
) -> ApiResult<web::Json<BaselineView>> {
    let set = executions.set_baseline(&who.caller, repository.clone(), body.read()?, &who.origin).await;
    Ok(web::Json(BaselineView::new(&repository, set.map_err(failing::execution)?)))
}

impl SetBaseline {
    fn read(self) -> ApiResult<NewBaseline> {
        Ok(NewBaseline {
            coverage: self.coverage,
            commit: commit(self.commit.as_deref(), self.head_sha.as_deref())?,
            measured_at: moment(self.timestamp.as_deref())?,
        })
    }
}
