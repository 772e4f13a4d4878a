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
    /// Tokens to show: 1–1000; 100 if left out.
    limit: Option<u32>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// What a policy would do.
#[derive(Serialize, ToSchema)]
struct PolicyPreview {
    counts: PreviewCounts,
    tokens: Vec<HitToken>,
    /// Send it as `cursor` to go on after the last token shown, or after the twenty thousand that one call looks at at most;
    /// `null` when that was all. Counts are of what a call looked at.
    next_cursor: Option<String>,
}

/// How many live tokens would be hit, and how.
#[derive(Serialize, ToSchema)]
struct PreviewCounts {
    /// Looked at.
    examined: u64,
    /// Hit in any way.
    hit: u64,
    /// Unused for too long: would stop counting.
    idle: u64,
    /// Living too long: would be cut at their next rotation.
    lifetime: u64,
    /// Carrying scopes that are not allowed: could not be rotated.
    scopes: u64,
    /// Of a kind that is not allowed: could not be rotated.
    kind: u64,
}

/// A token that would be hit.
#[derive(Serialize, ToSchema)]
struct HitToken {
    #[serde(flatten)]
    token: TokenView,
    /// `idle`, `lifetime`, `scopes`, `kind`.
    reasons: Vec<&'static str>,
}

/// Try a policy out without setting it.
#[utoipa::path(
    tag = "token policy",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "the organisation's id"), PreviewPolicyQuery),
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
