//! `GET /v1/organizations/{org_id}/trust-policies/{policy_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::trust::Trust;
use token_domain::id::TrustPolicyId;

use super::view::TrustPolicyView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use edge::error::ApiResult;

/// Get a trust policy.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    responses((status = 200, body = TrustPolicyView))
)]
#[get("/v1/organizations/{org_id}/trust-policies/{policy_id}")]
pub(super) async fn get_trust_policy(
    who: Authorized<ReadTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
) -> ApiResult<web::Json<TrustPolicyView>> {
    let policy = trust.get(&who.caller, organization, id).await.map_err(error)?;
    Ok(web::Json(TrustPolicyView::new(&policy, &trust)))
}
