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

/// The baseline to set.
#[derive(Deserialize, ToSchema)]
struct SetBaseline {
    /// The coverage in percent: 0–100, with up to four decimals.
    #[schema(value_type = f64, example = 83.6)]
    coverage: Coverage,
    /// The commit that was measured.
    commit: Option<String>,
    /// An alternative name of `commit`.
    head_sha: Option<String>,
    /// The time of the measurement (RFC 3339). Defaults to now.
    timestamp: Option<String>,
}

/// Set the baseline of a repository.
///
/// Registers the repository if it is new. Setting the current baseline again changes nothing.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["execute"]), ("api_key" = ["execute"])),
    params(("repo" = String, Path, description = "The name of the repository. Slashes may be sent as they are or as `%2F`.")),
    request_body = SetBaseline,
    responses((status = 200, description = "The baseline is set.", body = BaselineView))
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
