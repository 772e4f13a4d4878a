//! `GET /v1/executions`: a repository's executions, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::{Cursor, Executions, ListRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::named_repository;
use super::view::ExecutionEntry;
use crate::surface::page::ShortPageQuery;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// Which executions to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListExecutionsQuery {
    /// The slug or the id of your organisation.
    #[param(value_type = String)]
    org: Option<String>,
    /// The name of the repository.
    #[param(value_type = String)]
    repo: Option<String>,
}

/// A page of executions.
#[derive(Serialize, ToSchema)]
struct ExecutionList {
    executions: Vec<ExecutionEntry>,
    /// The total number of executions of the repository.
    total: u64,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// List the executions of a repository.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(ListExecutionsQuery, ShortPageQuery),
    responses((status = 200, body = ExecutionList))
)]
#[get("/v1/executions")]
pub(super) async fn list_executions(
    who: Authorized<ReadCoverage>,
    executions: Data<Executions>,
    Query(query): Query<ListExecutionsQuery>,
    Query(page): Query<ShortPageQuery>,
) -> ApiResult<web::Json<ExecutionList>> {
    let page = executions.list(&who.caller, query.read(&page)?).await.map_err(failing::execution)?;
    Ok(web::Json(ExecutionList {
        executions: page.executions.into_iter().map(ExecutionEntry::from).collect(),
        total: page.total,
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

impl ListExecutionsQuery {
    fn read(&self, page: &ShortPageQuery) -> ApiResult<ListRequest> {
        let (organization, repository) = named_repository(self.org.as_deref(), self.repo.as_deref())?;
        Ok(ListRequest { organization, repository, limit: page.limit.0, after: page.after(Cursor::parse)? })
    }
}
