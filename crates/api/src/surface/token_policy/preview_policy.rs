//! `POST /v1/organizations/{org_id}/token-policy/preview`: the tokens that a policy would affect. It changes nothing.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::policies::{Examined, Policies, PolicyCursor, Preview, PreviewRequest};
use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::policy::Findings;
use utoipa::ToSchema;

use super::view::AskedPolicy;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use crate::surface::tokens::TokenView;
use edge::error::{ApiError, ApiResult};
use edge::extract::{Json, Query};

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1_000;

/// How much to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PreviewPolicyQuery {
    /// Tokens per page: 1–1000. Defaults to 100.
    limit: Option<u32>,
    /// `next_cursor` of the previous response.
    cursor: Option<String>,
}

/// The effect of a policy.
#[derive(Serialize, ToSchema)]
struct PolicyPreview {
    counts: PreviewCounts,
    tokens: Vec<HitToken>,
    /// Send this as `cursor` to continue; `null` if there is nothing left. One call examines at most twenty thousand
    /// tokens, and the counts cover what that call examined.
    next_cursor: Option<String>,
}

/// The number of valid tokens that the policy would affect, by reason.
#[derive(Serialize, ToSchema)]
struct PreviewCounts {
    /// Tokens examined.
    examined: u64,
    /// Tokens affected for any reason.
    hit: u64,
    /// Tokens that have not been used for too long and would stop being valid.
    idle: u64,
    /// Tokens with too long a lifetime, which would be shortened at the next rotation.
    lifetime: u64,
    /// Tokens with scopes that are not allowed, which could not be rotated.
    scopes: u64,
    /// Tokens of a kind that is not allowed, which could not be rotated.
    kind: u64,
}

/// A token that the policy would affect.
#[derive(Serialize, ToSchema)]
struct HitToken {
    #[serde(flatten)]
    token: TokenView,
    /// Why the token is affected: `idle`, `lifetime`, `scopes`, `kind`.
    reasons: Vec<&'static str>,
}

/// Preview the effect of a token policy without setting it.
#[utoipa::path(
    tag = "token policy",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation."), PreviewPolicyQuery),
    request_body = AskedPolicy,
    responses((status = 200, body = PolicyPreview))
)]
#[post("/v1/organizations/{org_id}/token-policy/preview")]
pub(super) async fn preview_policy(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(id)): PathParam<Organization>,
    policies: Data<Policies>,
    Query(query): Query<PreviewPolicyQuery>,
    Json(body): Json<AskedPolicy>,
) -> ApiResult<web::Json<PolicyPreview>> {
    let request = query.read(body)?;
    let preview = policies.preview(&who.caller, id, request).await.map_err(error)?;
    Ok(web::Json(preview.into()))
}

impl PreviewPolicyQuery {
    fn read(self, body: AskedPolicy) -> ApiResult<PreviewRequest> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::invalid("limit", format!("must be a whole number from 1 to {MOST}")));
        }
        let after = self.cursor.as_deref().map(PolicyCursor::parse).transpose();
        let after = after.map_err(|error| ApiError::invalid("cursor", error.to_string()))?;
        Ok(PreviewRequest { rules: body.read()?, limit, after })
    }
}

impl From<Preview> for PolicyPreview {
    fn from(preview: Preview) -> Self {
        let counts = preview.counts;
        Self {
            counts: PreviewCounts {
                examined: counts.examined,
                hit: counts.hit,
                idle: counts.idle,
                lifetime: counts.lifetime,
                scopes: counts.scopes,
                kind: counts.kind,
            },
            next_cursor: preview.next.map(|cursor| cursor.to_string()),
            tokens: preview.tokens.into_iter().map(|hit| HitToken::new(hit, preview.now)).collect(),
        }
    }
}

impl HitToken {
    fn new(Examined { token, findings }: Examined, now: Timestamp) -> Self {
        let Findings { idle, lifetime, scopes, kind } = findings;
        let all = [(idle, "idle"), (lifetime, "lifetime"), (scopes, "scopes"), (kind, "kind")];
        let reasons = all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reason)| reason).collect();
        Self { token: TokenView::new(token, now), reasons }
    }
}
