//! `GET /v1/organizations/{org_id}/trust-policies/{policy_id}/static-tokens`: tokens that the jobs of a policy still use.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::trust::{StaticToken, Trust};
use serde::Serialize;
use token_domain::id::TrustPolicyId;
use utoipa::ToSchema;

use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use edge::error::ApiResult;

/// At most a hundred tokens, the last used first.
#[derive(Serialize, ToSchema)]
struct StaticTokenList {
    tokens: Vec<StaticTokenView>,
}

/// A valid token of the organisation that was not issued under a trust policy.
#[derive(Serialize, ToSchema)]
#[schema(as = StaticToken)]
struct StaticTokenView {
    id: String,
    name: String,
    scopes: Vec<String>,
    /// The address that it was used from, and identity tokens were exchanged from.
    address: String,
    /// When it was last used from there.
    last_used_at: String,
}

impl From<StaticToken> for StaticTokenView {
    fn from(found: StaticToken) -> Self {
        Self {
            id: found.token.id.to_string(),
            name: found.token.name.to_string(),
            scopes: found.token.scopes,
            address: found.address,
            last_used_at: found.used_at.rfc3339_seconds(),
        }
    }
}

/// List the tokens that the jobs of a trust policy probably still use.
///
/// These are valid tokens of the organisation that were used from an address from which identity tokens were exchanged under this
/// policy. Look at each before you revoke it: shared runners have the same address. The ten thousand newest tokens are looked at.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    responses((status = 200, body = StaticTokenList))
)]
#[get("/v1/organizations/{org_id}/trust-policies/{policy_id}/static-tokens")]
pub(super) async fn list_static_tokens(
    who: Authorized<ReadTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
) -> ApiResult<web::Json<StaticTokenList>> {
    let found = trust.tokens_of_jobs(&who.caller, organization, id).await.map_err(error)?;
    Ok(web::Json(StaticTokenList { tokens: found.into_iter().map(StaticTokenView::from).collect() }))
}
