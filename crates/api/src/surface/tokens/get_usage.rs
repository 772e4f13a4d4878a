//! `GET /v1/tokens/{token_id}/usage`: how often a token was presented, by outcome.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::{GrantedScope, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Step, Stretch, UseCounts};
use utoipa::ToSchema;

use crate::surface::path::PathParam;
use crate::surface::permission::ReadUsage;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Query;

/// Which stretch of time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct UsageQuery {
    /// Where it begins, RFC 3339; rounded down to a whole step. A day (hours) or thirty days (days) before `to` if left
    /// out. At most 31 days of hours, or 400 days.
    from: Option<String>,
    /// Where it ends, RFC 3339; rounded up to a whole step. Now if left out.
    to: Option<String>,
    /// `hour` (if left out) or `day`, UTC.
    step: Option<String>,
}

/// The uses of one token.
#[derive(Serialize, ToSchema)]
struct UsageReport {
    token_id: String,
    /// `hour` or `day`.
    step: &'static str,
    /// Where the first step begins.
    from: String,
    /// Where the last one ends.
    to: String,
    total: Counts,
    /// Every step from the oldest on, those without a use included.
    usage: Vec<UsageStep>,
    /// The token's scopes, each with the last time that it was asked for.
    scopes: Vec<ScopeUseView>,
}

/// A scope of a token, and whether anybody asks for it.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopeUse)]
struct ScopeUseView {
    scope: String,
    /// The hour of the last validation that required this scope, or one that it covers, and found it. Null if there was
    /// none, as where validations name no required scopes.
    last_used_at: Option<String>,
}

/// The uses of one step.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct UsageStep {
    /// When it begins.
    begins_at: String,
    #[serde(flatten)]
    counts: Counts,
}

/// What became of presented tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageCounts)]
pub(in crate::surface) struct Counts {
    /// The token was found good.
    allowed: u64,
    /// It was found good, and lacked a scope that was asked for.
    insufficient: u64,
    /// It was refused: revoked, expired, or its owner switched off.
    denied: u64,
}

/// How often a token was used.
///
/// At most ten seconds behind.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["usage:read"]), ("api_key" = ["usage:read"])),
    params(("token_id" = String, Path, description = "the token's id"), UsageQuery),
    responses((status = 200, body = UsageReport))
)]
#[get("/v1/tokens/{token_id}/usage")]
pub(super) async fn get_usage(
    who: Authorized<ReadUsage>,
    PathParam(id): PathParam<TokenId>,
    Query(query): Query<UsageQuery>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<UsageReport>> {
    let stretch = query.read(context.now())?;
    let parts = tokens.usage(&who.caller, id, stretch).await.map_err(failing::token)?;
    let (total, usage) = report(parts);
    let scopes = tokens.scope_uses(&who.caller, id).await.map_err(failing::token)?;
    let seen = |granted: GrantedScope| ScopeUseView {
        scope: granted.scope,
        last_used_at: granted.last_used_at.map(Timestamp::rfc3339_seconds),
    };
    Ok(web::Json(UsageReport {
        token_id: id.to_string(),
        step: stretch.step().as_str(),
        from: stretch.first_hour().begins().rfc3339_seconds(),
        to: stretch.end_hour().begins().rfc3339_seconds(),
        total,
        usage,
        scopes: scopes.into_iter().map(seen).collect(),
    }))
}

/// The total of all parts, and the counts of each.
pub(in crate::surface) fn report(parts: Vec<(Timestamp, UseCounts)>) -> (Counts, Vec<UsageStep>) {
    let mut total = UseCounts::default();
    for (_, counts) in &parts {
        total += *counts;
    }
    let step = |(begins_at, counts): (Timestamp, UseCounts)| UsageStep {
        begins_at: begins_at.rfc3339_seconds(),
        counts: counts.into(),
    };
    (total.into(), parts.into_iter().map(step).collect())
}

impl UsageQuery {
    pub(in crate::surface) fn read(self, now: Timestamp) -> ApiResult<Stretch> {
        let moment = |field: &'static str, text: Option<String>| {
            let read = text.map(|text| Timestamp::parse_rfc3339(&text)).transpose();
            read.map_err(|error| ApiError::invalid(field, error.to_string()))
        };
        let step = match self.step {
            None => Step::default(),
            Some(text) => Step::parse(&text).ok_or_else(|| ApiError::invalid("step", "must be hour or day"))?,
        };
        let to = moment("to", self.to)?.unwrap_or(now);
        let from = moment("from", self.from)?.unwrap_or(to - step.usual());
        Stretch::new(from, to, step).map_err(|error| ApiError::invalid("from", error.to_string()))
    }
}

impl From<UseCounts> for Counts {
    fn from(UseCounts { allowed, insufficient, denied }: UseCounts) -> Self {
        Self { allowed, insufficient, denied }
    }
}
