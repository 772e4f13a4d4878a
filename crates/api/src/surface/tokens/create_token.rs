//! `POST /v1/tokens`: issue a token. Its secret is in this answer and nowhere else, ever.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::tokens::{IssueRequest, Issued, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::access::Metadata;
use token_domain::id::ProjectId;
use token_domain::text::{AgentType, Name};
use token_domain::token::Lifetime;
use token_domain::{Span, Timestamp};
use utoipa::ToSchema;

use super::details::details;
use super::idempotency;
use super::view::TokenView;
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The longest lifetime that can be asked for in days: a hundred years.
const MOST_DAYS: u32 = 36_500;

/// A token to make. The organisation is always the caller's.
#[derive(Deserialize, Serialize, ToSchema)]
struct CreateToken {
    /// 1–100 characters.
    #[schema(example = "CI on main")]
    name: String,
    /// 1–64 scopes of the catalogue, none beyond the caller's own.
    #[schema(example = json!(["execute"]))]
    scopes: Vec<String>,
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default)]
    agent_type: Option<String>,
    /// A project of the organisation to bind the token to.
    #[serde(default)]
    project_id: Option<String>,
    /// When it ends; RFC 3339.
    #[serde(default)]
    expires_at: Option<String>,
    /// Or: in how many days it ends.
    #[serde(default)]
    expires_in_days: Option<u32>,
    /// What it is for: up to 500 characters.
    #[serde(default)]
    description: Option<String>,
    /// Its holder in the caller's own system: up to 255 characters.
    #[serde(default)]
    external_id: Option<String>,
    /// What a gateway wants to know about the holder: an object of up to 4 KiB, 8 levels deep.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Where it may be used from: up to 32 networks in CIDR notation; from anywhere if left out.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24"]))]
    allowed_networks: Option<Vec<String>>,
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct CreatedToken {
    #[serde(flatten)]
    token: TokenView,
    /// Shown once.
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    secret: String,
    /// Scopes that will not work for want of a companion.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A scope that will not work yet.
#[derive(Serialize, ToSchema)]
struct Warning {
    scope: String,
    /// What it also needs.
    requires: Vec<String>,
    message: String,
}

/// Issue a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key makes no second token.")),
    request_body = CreateToken,
    responses(
        (status = 201, description = "made", body = CreatedToken),
        (status = 402, description = "the organisation's token cap is reached", body = crate::error_body::Error),
        (status = 409, description = "this Idempotency-Key was used before; `id` names the token", body = crate::error_body::Error),
        (status = 429, description = "too many secrets are being made at once with this credential", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens")]
pub(super) async fn create_token(
    who: Authorized<ManageTokens>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<CreateToken>,
) -> ApiResult<HttpResponse> {
    let idempotency = idempotency::of(&request, &body)?;
    let asked = IssueRequest { idempotency, ..body.read()? };
    let issued = tokens.issue(&who.caller, asked, &who.origin).await.map_err(failing::token)?;
    Ok(HttpResponse::Created().json(CreatedToken::new(issued, context.now())))
}

impl CreateToken {
    fn read(self) -> ApiResult<IssueRequest> {
        let project_id = self.project_id.as_deref().map(ProjectId::parse).transpose();
        Ok(IssueRequest {
            name: Name::parse(&self.name).map_err(|error| ApiError::invalid("name", error.to_string()))?,
            scopes: self.scopes,
            agent_type: AgentType::parse(&self.agent_type.unwrap_or_default())
                .map_err(|error| ApiError::invalid("agent_type", error.to_string()))?,
            project_id: project_id.map_err(|error| ApiError::invalid("project_id", error.to_string()))?,
            lifetime: lifetime(self.expires_at.as_deref(), self.expires_in_days)?,
            details: details(
                self.description.as_ref(),
                self.external_id.as_ref(),
                self.metadata,
                self.allowed_networks.as_deref(),
            )?,
            idempotency: None,
        })
    }
}

pub(in crate::surface) fn lifetime(expires_at: Option<&str>, expires_in_days: Option<u32>) -> ApiResult<Lifetime> {
    match (expires_at, expires_in_days) {
        (None, None) => Ok(Lifetime::Unlimited),
        (Some(_), Some(_)) => Err(ApiError::invalid("expires_in_days", "must not be sent together with expires_at")),
        (Some(moment), None) => Timestamp::parse_rfc3339(moment)
            .map(Lifetime::Until)
            .map_err(|error| ApiError::invalid("expires_at", error.to_string())),
        (None, Some(days @ 1..=MOST_DAYS)) => Ok(Lifetime::For(Span::days(days))),
        (None, Some(_)) => Err(ApiError::invalid("expires_in_days", format!("must be 1 to {MOST_DAYS}"))),
    }
}

impl CreatedToken {
    pub(in crate::surface) fn new(issued: Issued, now: Timestamp) -> Self {
        let warning = |(scope, requires): (String, Vec<String>)| Warning {
            message: format!("{scope} does not work without {}: create another token with it.", requires.join(", ")),
            scope,
            requires,
        };
        Self {
            secret: issued.secret.expose().to_owned(),
            token: TokenView::new(issued.token, now),
            warnings: issued.warnings.into_iter().map(warning).collect(),
        }
    }
}
