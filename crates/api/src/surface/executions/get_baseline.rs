//! `GET /v1/baselines`: the baseline that a repository is measured against.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::Executions;
use serde::Deserialize;

use super::named_repository;
use super::view::BaselineView;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// Of which repository.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct GetBaselineQuery {
    /// The slug or the id of your organisation.
    #[param(value_type = String)]
    org: Option<String>,
    /// The name of the repository.
    #[param(value_type = String)]
    repo: Option<String>,
}

/// Get the current baseline of a repository.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(GetBaselineQuery),
    responses(
        (status = 200, body = BaselineView),
        (status = 404, description = "The repository has no baseline.", body = crate::error_body::Error),
    )
)]
#[get("/v1/baselines")]
pub(super) async fn get_baseline(
    who: Authorized<ReadCoverage>,
    executions: Data<Executions>,
    Query(query): Query<GetBaselineQuery>,
) -> ApiResult<web::Json<BaselineView>> {
    let (organization, repository) = named_repository(query.org.as_deref(), query.repo.as_deref())?;
    let found = executions.baseline(&who.caller, organization, repository.clone()).await;
    Ok(web::Json(BaselineView::new(&repository, found.map_err(failing::execution)?)))
}
