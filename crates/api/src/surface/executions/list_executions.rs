//! `GET /v1/executions`: a repository's executions, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::{Cursor, Executions, ListRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place;
use super::view::ExecutionEntry;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::{Limit, Query};

/// Which executions to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The slug or the id of your organisation.
    #[param(value_type = String)]
    org: Option<String>,
    /// The repository.
    #[param(value_type = String)]
    repo: Option<String>,
    /// 1–100; 10 if left out.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit<10, 100>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of executions.
#[derive(Serialize, ToSchema)]
struct ExecutionList {
    executions: Vec<ExecutionEntry>,
    /// How many executions the repository has in all.
    total: u64,
    /// Send it as `cursor` for the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// List a repository's executions.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(Wanted),
    responses((status = 200, body = ExecutionList))
)]
#[get("/v1/executions")]
pub(super) async fn list_executions(
    who: Authorized<ReadCoverage>,
    executions: Data<Executions>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<web::Json<ExecutionList>> {
    let page = executions.list(&who.caller, wanted.read()?).await.map_err(failing::execution)?;
    Ok(web::Json(ExecutionList {
        executions: page.executions.into_iter().map(ExecutionEntry::from).collect(),
        total: page.total,
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

impl Wanted {
    fn read(self) -> ApiResult<ListRequest> {
        let (organization, repository) = place(self.org.as_deref(), self.repo.as_deref())?;
        let after = self.cursor.as_deref().map(Cursor::parse).transpose();
        Ok(ListRequest {
            organization,
            repository,
            limit: self.limit.0,
            after: after.map_err(|error| ApiError::invalid("cursor", error.to_string()))?,
        })
    }
}
