//! `PUT /v1/organizations/{org_id}/token-policy`: once the 200 is sent, the policy is in force.

use actix_web::put;
use actix_web::web::{self, Data};
use authority::Context;
use authority::policies::Policies;

use super::view::{AskedPolicy, PolicyView};
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;
use edge::extract::Json;

/// Set the token policy of the organisation.
///
/// Lifetimes, scopes and kinds are checked when a token is created or rotated. `idle_days` is checked at every use and
/// also applies to existing tokens.
#[utoipa::path(
    tag = "token policy",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = AskedPolicy,
    responses((status = 200, description = "The policy is in force on every node.", body = PolicyView))
)]
#[put("/v1/organizations/{org_id}/token-policy")]
pub(super) async fn set_policy(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(id)): PathParam<Organization>,
    policies: Data<Policies>,
    context: Data<Context>,
    Json(body): Json<AskedPolicy>,
) -> ApiResult<web::Json<PolicyView>> {
    let policy = policies.set(&who.caller, id, body.read()?, &who.origin).await.map_err(error)?;
    Ok(web::Json(PolicyView::new(id, &policy, context.catalogue())))
}
