//! `PATCH /v1/me`.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::Context;
use authority::people::People;
use serde::Deserialize;
use token_domain::text::{Email, Name};
use utoipa::ToSchema;

use super::view::MeView;
use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// What to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
struct EditMe {
    #[serde(default)]
    name: Option<String>,
    /// Takes a session that was proven lately: `POST /v1/sessions/current/proof`.
    #[serde(default)]
    email: Option<String>,
}

/// Change one's own name, or ask for another e-mail address.
///
/// A new address is shown as `pending_email` and counts for nothing until it is verified: by whoever operates the deployment, or
/// by an invitation that was sent to it. Whether another account has it is not told.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    request_body = EditMe,
    responses((status = 200, body = MeView))
)]
#[patch("/v1/me")]
pub(super) async fn edit_me(
    who: Authorized<WriteSelf>,
    people: Data<People>,
    context: Data<Context>,
    Json(body): Json<EditMe>,
) -> ApiResult<web::Json<MeView>> {
    let name = body.name.as_deref().map(Name::parse).transpose();
    let name = name.map_err(|error| ApiError::invalid("name", error.to_string()))?;
    let email = body.email.as_deref().map(Email::parse).transpose();
    let email = email.map_err(|error| ApiError::invalid("email", error.to_string()))?;
    let me = people.edit_me(&who.caller, name, email, &who.origin).await.map_err(failing::person)?;
    Ok(web::Json(MeView::new(me, &who.caller, &context)))
}
