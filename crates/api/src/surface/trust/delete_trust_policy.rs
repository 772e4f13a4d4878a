//! `DELETE /v1/organizations/{org_id}/trust-policies/{policy_id}`.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::trust::Trust;
use token_domain::id::TrustPolicyId;

use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use edge::error::ApiResult;

/// Delete a trust policy.
///
/// No more identity tokens are exchanged under it. Tokens that were already issued stay valid until they expire, within
/// the hour; `GET /v1/tokens?created_by=policy:<id>` lists them.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    responses((status = 204, description = "Deleted."))
)]
#[delete("/v1/organizations/{org_id}/trust-policies/{policy_id}")]
pub(super) async fn delete_trust_policy(
    who: Authorized<ManageTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
) -> ApiResult<HttpResponse> {
    trust.delete(&who.caller, organization, id, &who.origin).await.map_err(error)?;
    Ok(HttpResponse::NoContent().finish())
}
