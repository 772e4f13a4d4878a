//! `GET /v1/tokens`: the organisation's tokens, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::tokens::{Cursor, ListRequest, Page, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::token::Status;
use utoipa::ToSchema;

use super::view::TokenView;
use crate::surface::permission::ReadTokens;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Query;

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1_000;
const LONGEST_NAME: usize = 100;

/// Which tokens to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct Wanted {
    /// Only `active`, `rotating`, `revoked` or `expired` ones.
    status: Option<String>,
    /// Only those with this in their name, without regard to case.
    name: Option<String>,
    /// 1–1000; 100 if left out.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct TokenList {
    tokens: Vec<TokenView>,
    /// Send it as `cursor` for the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// List the organisation's tokens.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(Wanted),
    responses((status = 200, body = TokenList))
)]
#[get("/v1/tokens")]
pub(super) async fn list_tokens(
    who: Authorized<ReadTokens>,
    tokens: Data<Tokens>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<web::Json<TokenList>> {
    let page = tokens.list(&who.caller, wanted.read()?).await.map_err(failing::token)?;
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

impl Wanted {
    pub(in crate::surface) fn read(self) -> ApiResult<ListRequest> {
        let status = |text: &str| {
            Status::parse(text)
                .ok_or_else(|| ApiError::invalid("status", "must be active, rotating, revoked or expired"))
        };
        let after = |text: &str| Cursor::parse(text).map_err(|error| ApiError::invalid("cursor", error.to_string()));
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::invalid("limit", format!("must be 1 to {MOST}")));
        }
        if self.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(ApiError::invalid("name", format!("must have at most {LONGEST_NAME} characters")));
        }
        Ok(ListRequest {
            status: self.status.as_deref().map(status).transpose()?,
            name: self.name.filter(|name| !name.is_empty()),
            limit,
            after: self.cursor.as_deref().map(after).transpose()?,
        })
    }
}
