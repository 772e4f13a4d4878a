//! `POST /v1/password-resets`: has a code for a new password mailed.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::password_resets::PasswordResets;
use serde::Deserialize;
use token_domain::text::Email;
use utoipa::ToSchema;

use crate::surface::{failing, origin};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The address of the account.
#[derive(Deserialize, ToSchema)]
struct RequestPasswordReset {
    #[schema(example = "ada@example.org")]
    email: String,
}

/// Request a new password by e-mail.
///
/// Sends a code to the address if it is the verified address of an account that has a password. The response is the same for
/// every address. The code is valid for an hour, once, until the next message, and until the password or the address changes: use
/// it with `POST /v1/password-resets/confirm`. An address gets few messages per hour.
#[utoipa::path(
    tag = "sessions",
    security(),
    request_body = RequestPasswordReset,
    responses(
        (status = 202, description = "If the address has an account, a code is on its way."),
        (status = 409, description = "This deployment sends no mail.", body = crate::error_body::Error),
        (status = 429, description = "There were too many requests from this network.", body = crate::error_body::Error),
    )
)]
#[post("/v1/password-resets")]
pub(super) async fn request_password_reset(
    from: origin::From,
    resets: Data<PasswordResets>,
    Json(body): Json<RequestPasswordReset>,
) -> ApiResult<HttpResponse> {
    let email = Email::parse(&body.email).map_err(|error| ApiError::invalid("email", error.to_string()))?;
    resets.request(&email, &from.0).await.map_err(failing::reset)?;
    Ok(HttpResponse::Accepted().finish())
}
