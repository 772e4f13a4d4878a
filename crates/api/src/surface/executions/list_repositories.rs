//! `GET /v1/repos`: the repositories of the organisation, by name.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::Executions;
use authority::records::Repository;
use serde::Serialize;
use token_domain::execution::{Coverage, RepositoryName};
use utoipa::ToSchema;

use crate::surface::page::PageQuery;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of repositories.
#[derive(Serialize, ToSchema)]
struct RepositoryList {
    repos: Vec<RepositoryView>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// A repository that has submitted an execution or a baseline.
#[derive(Serialize, ToSchema)]
#[schema(as = Repository)]
struct RepositoryView {
    #[schema(example = "acme/widgets")]
    repo: String,
    /// The number of stored executions.
    executions: u64,
    /// The coverage of the latest execution, in percent.
    #[schema(value_type = Option<f64>, example = 83.1)]
    coverage: Option<Coverage>,
    /// When the latest execution was submitted.
    last_execution_at: Option<String>,
    created_at: String,
}

/// List the repositories of the organisation.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(PageQuery),
    responses((status = 200, body = RepositoryList))
)]
#[get("/v1/repos")]
pub(super) async fn list_repositories(
    who: Authorized<ReadCoverage>,
    executions: Data<Executions>,
    Query(page): Query<PageQuery>,
) -> ApiResult<web::Json<RepositoryList>> {
    let after = page.after(RepositoryName::parse_stored)?;
    let page = executions.repositories(&who.caller, after, page.limit.0).await.map_err(failing::execution)?;
    Ok(web::Json(RepositoryList {
        repos: page.repositories.into_iter().map(RepositoryView::from).collect(),
        next_cursor: page.next.map(|name| name.to_string()),
    }))
}

impl From<Repository> for RepositoryView {
    fn from(repository: Repository) -> Self {
        Self {
            repo: repository.name.to_string(),
            executions: repository.execution_count,
            coverage: repository.last.map(|(coverage, _)| coverage),
            last_execution_at: repository.last.map(|(_, at)| at.rfc3339_seconds()),
            created_at: repository.created_at.rfc3339_seconds(),
        }
    }
}
