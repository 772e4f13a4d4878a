//! `GET /v1/organizations/{org_id}/usage`: how often all tokens of the organisation together were presented.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::organizations::Organizations;
use serde::Serialize;
use utoipa::ToSchema;

use super::errors;
use super::place::Seated;
use crate::surface::permission::ReadUsage;
use crate::surface::tokens::{Counts, UsageQuery, UsageStep, report};
use edge::error::ApiResult;
use edge::extract::Query;

/// The usage of all tokens of an organisation.
#[derive(Serialize, ToSchema)]
struct OrganizationUsage {
    /// The length of a step: `hour` or `day`.
    step: &'static str,
    /// The start of the first step.
    from: String,
    /// The end of the last step.
    to: String,
    total: Counts,
    /// All steps, oldest first, including steps without a use.
    usage: Vec<UsageStep>,
}

/// Get the usage of the organisation's tokens.
///
/// Includes tokens that have been revoked or have expired since. The counts are at most ten seconds old.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["usage:read"]), ("api_key" = ["usage:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation."), UsageQuery),
    responses((status = 200, body = OrganizationUsage))
)]
#[get("/v1/organizations/{org_id}/usage")]
pub(super) async fn get_organization_usage(
    at: Seated<ReadUsage>,
    organizations: Data<Organizations>,
    Query(query): Query<UsageQuery>,
    context: Data<Context>,
) -> ApiResult<web::Json<OrganizationUsage>> {
    let stretch = query.read(context.now())?;
    let parts = organizations.usage(&at.seat, stretch).await.map_err(errors::organization)?;
    let (total, usage) = report(parts);
    Ok(web::Json(OrganizationUsage {
        step: stretch.step().as_str(),
        from: stretch.first_hour().begins().rfc3339_seconds(),
        to: stretch.end_hour().begins().rfc3339_seconds(),
        total,
        usage,
    }))
}
