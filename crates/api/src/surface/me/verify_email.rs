//! `POST /v1/me/email`: verifies an e-mail address.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::people::People;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::view::MeView;
use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The code that was mailed to the address.
#[derive(Deserialize, ToSchema)]
struct VerifyEmail {
    #[schema(value_type = String)]
    code: Zeroizing<String>,
}

/// Verify your e-mail address.
///
/// Where mail is configured, `PATCH /v1/me` sends a code to the requested address. With this code the address becomes yours and
/// is verified for the whole deployment. The old address is notified. Requires a session with a recent proof:
/// `POST /v1/sessions/current/proof`.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:write"])),
    request_body = VerifyEmail,
    responses(
        (status = 200, description = "The address is verified.", body = MeView),
        (status = 409, description = "Another account has the address.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/email")]
pub(super) async fn verify_email(
    who: Authorized<WriteSelf>,
    people: Data<People>,
    context: Data<Context>,
    Json(body): Json<VerifyEmail>,
) -> ApiResult<web::Json<MeView>> {
    let me = people.verify_email(&who.caller, &body.code, &who.origin).await.map_err(failing::person)?;
    Ok(web::Json(MeView::new(me, &who.caller, &context)))
}
