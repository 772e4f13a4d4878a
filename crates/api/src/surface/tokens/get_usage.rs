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
    /// The start (RFC 3339), rounded down to a whole step. Defaults to one day (hours) or thirty days (days) before
    /// `to`. At most 31 days of hours, or 400 days.
    from: Option<String>,
    /// The end (RFC 3339), rounded up to a whole step. Defaults to now.
    to: Option<String>,
    /// The length of a step: `hour` or `day`, in UTC. Defaults to `hour`.
    step: Option<String>,
}

/// The usage of one token.
#[derive(Serialize, ToSchema)]
struct UsageReport {
    token_id: String,
    /// The length of a step: `hour` or `day`.
    step: &'static str,
    /// The start of the first step.
    from: String,
    /// The end of the last step.
    to: String,
    total: Counts,
    /// All steps, oldest first, including steps without a use.
    usage: Vec<UsageStep>,
    /// The scopes of the token, each with the time of its last use.
    scopes: Vec<ScopeUseView>,
}

/// A scope of a token and its last use.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopeUse)]
struct ScopeUseView {
    scope: String,
    /// The hour of the last successful validation that required this scope or one it implies; `null` if there was none,
    /// for example because validations send no `required_scopes`.
    last_used_at: Option<String>,
}

/// The usage in one step.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct UsageStep {
    /// The start of the step.
    begins_at: String,
    #[serde(flatten)]
    counts: Counts,
}

/// The number of validations by result.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageCounts)]
pub(in crate::surface) struct Counts {
    /// The token was valid.
    allowed: u64,
    /// The token was valid but lacked a required scope.
    insufficient: u64,
    /// The token was refused: revoked, expired, or its owner is disabled.
    denied: u64,
}

/// Get the usage of a token.
///
/// The counts are at most ten seconds old.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["usage:read"]), ("api_key" = ["usage:read"])),
    params(("token_id" = String, Path, description = "The id of the token."), UsageQuery),
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
