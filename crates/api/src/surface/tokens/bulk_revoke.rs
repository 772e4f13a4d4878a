//! `POST /v1/tokens/bulk-revoke`: revokes many tokens, after a dry run.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::{BulkRequest, BulkRevoked, Chosen, MOST_NAMED, Mode, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::id::TokenId;
use utoipa::ToSchema;

use super::list_tokens::{ListTokensQuery, Whose};
use super::revoke_with_reason::explanation;
use super::view::TokenView;
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The tokens to revoke, by either `ids` or `filter`, and the reason.
#[derive(Deserialize, ToSchema)]
struct BulkRevoke {
    /// 1–1000 ids of tokens of the organisation. Tokens that are unknown, revoked or expired are not counted.
    #[serde(default)]
    ids: Option<Vec<String>>,
    /// All tokens that match these filters, on all pages; at most 10 000.
    #[serde(default)]
    filter: Option<BulkFilter>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    reason: String,
    /// An optional comment of up to 500 characters.
    #[serde(default)]
    note: Option<String>,
    /// Only report what would be revoked.
    #[serde(default)]
    dry_run: Option<bool>,
    /// The expected number of tokens. If the number is different, nothing is revoked and the answer is 409.
    #[serde(default)]
    expected_count: Option<usize>,
}

/// The filters of the list of tokens. At least one is required.
#[derive(Deserialize, ToSchema)]
struct BulkFilter {
    #[serde(flatten)]
    query: ListTokensQuery,
    #[serde(flatten)]
    whose: Whose,
}

/// The tokens that were revoked, or that would be revoked after a dry run.
#[derive(Serialize, ToSchema)]
struct BulkRevokedView {
    /// The number of valid tokens that were selected.
    matched: usize,
    /// The number of tokens that this request revoked.
    revoked: usize,
    /// The tokens with the most uses in the last 24 hours, at most ten.
    busiest: Vec<Busy>,
}

/// A token in use.
#[derive(Serialize, ToSchema)]
struct Busy {
    /// The number of successful validations in the last 24 hours.
    uses: u64,
    token: TokenView,
}

/// Revoke many tokens at once.
///
/// With `dry_run`, nothing is revoked. Send `matched` of that response as `expected_count` to revoke exactly those
/// tokens.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    request_body = BulkRevoke,
    responses(
        (status = 200, body = BulkRevokedView),
        (status = 409, description = "The number of tokens differs from `expected_count`; `matched` has the current number.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/bulk-revoke")]
pub(super) async fn bulk_revoke_tokens(
    who: Authorized<ManageTokens>,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<BulkRevoke>,
) -> ApiResult<web::Json<BulkRevokedView>> {
    let request = body.read(context.now())?;
    let done = tokens.revoke_many(&who.caller, request, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(BulkRevokedView::new(done, context.now())))
}

impl BulkRevoke {
    fn read(self, now: Timestamp) -> ApiResult<BulkRequest> {
        let chosen = match (self.ids, self.filter) {
            (Some(ids), None) => Chosen::Named(named(&ids)?),
            (None, Some(filter)) => Chosen::Listed(Box::new(filter.read(now)?)),
            (None, None) => return Err(ApiError::invalid("ids", "is required, unless filter is sent")),
            (Some(_), Some(_)) => return Err(ApiError::invalid("filter", "must not be sent together with ids")),
        };
        let mode = if self.dry_run == Some(true) { Mode::DryRun } else { Mode::Carry };
        Ok(BulkRequest {
            chosen,
            explanation: explanation(Some(&self.reason), self.note.as_ref())?,
            mode,
            expected: self.expected_count,
        })
    }
}

impl BulkFilter {
    fn read(self, now: Timestamp) -> ApiResult<authority::tokens::ListRequest> {
        if self.query.has_page() {
            return Err(ApiError::invalid("filter", "must not have a limit or a cursor: it applies to every page"));
        }
        if self.query.is_empty() && self.whose.is_empty() {
            return Err(ApiError::invalid("filter", "must not be empty: set at least one filter"));
        }
        self.whose.read(self.query.read(now)?)
    }
}

fn named(ids: &[String]) -> ApiResult<Vec<TokenId>> {
    if !(1..=MOST_NAMED).contains(&ids.len()) {
        return Err(ApiError::invalid("ids", format!("must have 1 to {MOST_NAMED} entries")));
    }
    let parsed: Result<Vec<_>, _> = ids.iter().map(|id| TokenId::parse(id)).collect();
    let mut parsed = parsed.map_err(|error| ApiError::invalid("ids", error.to_string()))?;
    parsed.sort_unstable();
    parsed.dedup();
    Ok(parsed)
}

impl BulkRevokedView {
    fn new(done: BulkRevoked, now: Timestamp) -> Self {
        let BulkRevoked { matched, revoked, busiest, others: _ } = done;
        let busy = |(token, uses)| Busy { uses, token: TokenView::new(token, now) };
        Self { matched, revoked, busiest: busiest.into_iter().map(busy).collect() }
    }
}
