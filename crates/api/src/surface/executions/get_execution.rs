//! `GET /v1/executions/{execution_id}`: one execution.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::executions::Executions;
use token_domain::id::ExecutionId;

use super::view::ExecutionDetail;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadCoverage;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Get an execution.
#[utoipa::path(
    tag = "coverage",
    security(("bearer" = ["read"]), ("api_key" = ["read"])),
    params(("execution_id" = String, Path, description = "The id of the execution.")),
    responses((status = 200, body = ExecutionDetail))
)]
#[get("/v1/executions/{execution_id}")]
pub(super) async fn get_execution(
    who: Authorized<ReadCoverage>,
    PathParam(id): PathParam<ExecutionId>,
    executions: Data<Executions>,
) -> ApiResult<web::Json<ExecutionDetail>> {
    let execution = executions.get(&who.caller, id).await.map_err(failing::execution)?;
    Ok(web::Json(execution.into()))
}
