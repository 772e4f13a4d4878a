//! `PATCH /v1/tokens/{token_id}`: renames or relabels a token. The scopes of a token never change.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::Context;
use authority::records::TokenEdit;
use authority::tokens::Tokens;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::id::TokenId;
use token_domain::text::{AgentType, Name};
use utoipa::ToSchema;

use super::view::TokenView;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::projects::patch::Patch;
use crate::surface::{Authorized, failing};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
pub(in crate::surface) struct EditToken {
    /// 1–100 characters.
    #[serde(default)]
    name: Option<String>,
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default)]
    agent_type: Option<String>,
    /// Up to 500 characters; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    /// Up to 255 characters; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    external_id: Patch<String>,
    /// A JSON object of up to 4 KiB; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Patch<Metadata>,
    #[serde(default, deserialize_with = "present")]
    #[schema(ignore)]
    scopes: bool,
}

/// Update a token.
///
/// The scopes of a token cannot be changed.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("token_id" = String, Path, description = "The id of the token.")),
    request_body = EditToken,
    responses((status = 200, body = TokenView))
)]
#[patch("/v1/tokens/{token_id}")]
pub(super) async fn edit_token(
    who: Authorized<ManageTokens>,
    PathParam(id): PathParam<TokenId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<EditToken>,
) -> ApiResult<web::Json<TokenView>> {
    let token = tokens.edit(&who.caller, id, body.read()?, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(token, context.now())))
}

impl EditToken {
    pub(in crate::surface) fn read(self) -> ApiResult<TokenEdit> {
        if self.scopes {
            return Err(ApiError::from(Code::ScopesFixed).with("field", "scopes"));
        }
        let name = self.name.as_deref().map(Name::parse).transpose();
        let agent_type = self.agent_type.as_deref().map(AgentType::parse).transpose();
        Ok(TokenEdit {
            name: name.map_err(|error| ApiError::invalid("name", error.to_string()))?,
            agent_type: agent_type.map_err(|error| ApiError::invalid("agent_type", error.to_string()))?,
            description: self.description.change("description", |text| Description::parse(text))?,
            external_id: self.external_id.change("external_id", |text| ExternalId::parse(text))?,
            metadata: self.metadata.change("metadata", |metadata| Ok::<_, &str>(metadata.clone()))?,
        })
    }
}

/// True if the body has the key, even with `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
