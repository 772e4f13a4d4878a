//! `GET /v1/tokens`: the organisation's tokens, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::records::{Narrowing, OwnerFilter, Principal};
use authority::tokens::{Cursor, ListRequest, Page, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::access::ExternalId;
use token_domain::id::{ActorId, ProjectId, UserId};
use token_domain::text::AgentType;
use token_domain::token::{Kind, Status};
use token_domain::{ScopeName, Span, Timestamp};
use utoipa::ToSchema;

use super::view::TokenView;
use crate::surface::permission::ReadTokens;
use crate::surface::projects::patch;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Query;

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1_000;
const LONGEST_NAME: usize = 100;
/// Ten years.
const MOST_DAYS: u32 = 3_650;

/// Filters for the list of tokens, all of which must match.
#[derive(Deserialize, Default, ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct ListTokensQuery {
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    status: Option<String>,
    /// Only tokens whose name contains this text, ignoring case.
    name: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    q: Option<String>,
    /// Only tokens that were granted exactly this scope.
    scope: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    created_by: Option<String>,
    /// Only tokens bound to this project.
    project_id: Option<String>,
    /// Only tokens with this label.
    agent_type: Option<String>,
    /// Only tokens with this `external_id`.
    external_id: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    #[param(minimum = 1, maximum = 3650)]
    unused_days: Option<u32>,
    /// Only tokens that expire before this time (RFC 3339).
    expires_before: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    revoked_after: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// The owner of the tokens to list. Defaults to the organisation itself.
#[derive(Deserialize, Default, ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct Whose {
    /// Only tokens of this kind: `organization`, `personal` or `actor`.
    kind: Option<String>,
    /// Only tokens of this owner: `user:<id>` or `actor:<id>`.
    owner: Option<String>,
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct TokenList {
    tokens: Vec<TokenView>,
    /// Send this as `cursor` to get the next page; `null` on the last page. A page may have fewer entries than `limit`
    /// and still not be the last.
    next_cursor: Option<String>,
}

/// List the tokens of the organisation.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(ListTokensQuery, Whose),
    responses((status = 200, body = TokenList))
)]
#[get("/v1/tokens")]
pub(super) async fn list_tokens(
    who: Authorized<ReadTokens>,
    tokens: Data<Tokens>,
    Query(query): Query<ListTokensQuery>,
    Query(whose): Query<Whose>,
) -> ApiResult<web::Json<TokenList>> {
    let request = whose.read(query.read(tokens.now())?)?;
    let page = tokens.list(&who.caller, request).await.map_err(failing::token)?;
    Ok(web::Json(page.into()))
}

impl From<Page> for TokenList {
    fn from(page: Page) -> Self {
        Self {
            next_cursor: page.next.map(|cursor| cursor.to_string()),
            tokens: page.tokens.into_iter().map(|token| TokenView::new(token, page.now)).collect(),
        }
    }
}

impl Whose {
    /// Adds the filters on owners to the request.
    pub(in crate::surface) fn read(self, request: ListRequest) -> ApiResult<ListRequest> {
        let kind = |text: &str| {
            Kind::parse(text).ok_or_else(|| ApiError::invalid("kind", "must be organization, personal or actor"))
        };
        let owner = match (self.kind.as_deref().map(kind).transpose()?, self.owner.as_deref()) {
            (kind, None) => OwnerFilter::Kind(kind.unwrap_or(Kind::Organization)),
            (kind, Some(text)) => {
                let (owner, own_kind) = owner(text)?;
                if kind.is_some_and(|kind| kind != own_kind) {
                    return Err(ApiError::invalid(
                        "kind",
                        "must be the kind of token that the owner has: personal for a user, actor for an actor",
                    ));
                }
                owner
            }
        };
        Ok(ListRequest { owner, ..request })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.kind.is_none() && self.owner.is_none()
    }
}

fn owner(text: &str) -> ApiResult<(OwnerFilter, Kind)> {
    let parsed = match text.split_once(':') {
        Some(("user", id)) => UserId::parse(id).ok().map(|id| (OwnerFilter::Person(id), Kind::Personal)),
        Some(("actor", id)) => ActorId::parse(id).ok().map(|id| (OwnerFilter::Actor(id), Kind::Actor)),
        Some(_) | None => None,
    };
    parsed.ok_or_else(|| ApiError::invalid("owner", "must be user:<id> or actor:<id>"))
}

impl ListTokensQuery {
    /// Parses the query for the organisation's own tokens. Days are counted back from `now`.
    pub(in crate::surface) fn read(self, now: Timestamp) -> ApiResult<ListRequest> {
        let status = |text: &str| {
            Status::parse(text)
                .ok_or_else(|| ApiError::invalid("status", "must be active, rotating, revoked or expired"))
        };
        let after = |text: &str| Cursor::parse(text).map_err(|error| ApiError::invalid("cursor", error.to_string()));
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::invalid("limit", format!("must be a whole number from 1 to {MOST}")));
        }
        if self.unused_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return Err(ApiError::invalid("unused_days", format!("must be a whole number from 1 to {MOST_DAYS}")));
        }
        let moment = |field: &'static str, text: Option<&String>| {
            patch::read(field, text, |text| Timestamp::parse_rfc3339(text).map_err(|error| error.to_string()))
        };
        let narrowed = Narrowing {
            text: searched("q", self.q.as_deref())?,
            scope: patch::read("scope", self.scope.as_ref(), |text| {
                ScopeName::parse(text).map(|name| name.to_string()).map_err(|_| "must be the name of a scope")
            })?,
            created_by: patch::read("created_by", self.created_by.as_ref(), |text| {
                Principal::parse(text).ok_or("must be user:<id>, token:<id>, policy:<id>, service or system")
            })?,
            agent_type: patch::read("agent_type", self.agent_type.as_ref(), AgentType::parse)?,
            external_id: patch::read("external_id", self.external_id.as_ref(), ExternalId::parse)?,
            unused_since: self.unused_days.map(|days| now - Span::days(days)),
            expires_before: moment("expires_before", self.expires_before.as_ref())?,
            revoked_after: moment("revoked_after", self.revoked_after.as_ref())?,
        };
        Ok(ListRequest {
            owner: OwnerFilter::Kind(Kind::Organization),
            project_id: patch::read("project_id", self.project_id.as_ref(), ProjectId::parse)?,
            status: self.status.as_deref().map(status).transpose()?,
            name: searched("name", self.name.as_deref())?,
            narrowed,
            limit,
            after: self.cursor.as_deref().map(after).transpose()?,
        })
    }

    /// Whether the query names a page.
    pub(super) const fn has_page(&self) -> bool {
        self.limit.is_some() || self.cursor.is_some()
    }

    /// Whether the query has no filter.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            status,
            name,
            q,
            scope,
            created_by,
            project_id,
            agent_type,
            external_id,
            unused_days,
            expires_before,
            revoked_after,
            limit: _,
            cursor: _,
        } = self;
        let texts =
            [status, name, q, scope, created_by, project_id, agent_type, external_id, expires_before, revoked_after];
        unused_days.is_none() && texts.into_iter().all(|text| text.as_ref().is_none_or(String::is_empty))
    }
}

/// A text to search for, normalised like stored names: trimmed and in NFC. An empty one is no filter.
fn searched(field: &'static str, text: Option<&str>) -> ApiResult<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > LONGEST_NAME {
        return Err(ApiError::invalid(field, format!("must have at most {LONGEST_NAME} characters")));
    }
    Ok(Some(token_domain::text::composed(text)))
}
