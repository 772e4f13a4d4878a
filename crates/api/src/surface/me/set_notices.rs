//! `PUT /v1/me/notices`.

use actix_web::put;
use actix_web::web::{self, Data};
use authority::notices::{MailSettings, NoticeSettings};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get_notices::NoticesView;
use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The mail about tokens to get.
#[derive(Deserialize, ToSchema)]
struct SetNotices {
    /// Mail 30, 7 and 1 days before a token ends.
    token_expiring: bool,
    /// Mail when a token is used from an address that it had not been used from before.
    token_new_address: bool,
}

/// Choose the mail about tokens that you get.
///
/// Mail about leaked and reused tokens cannot be switched off.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    request_body = SetNotices,
    responses((status = 200, body = NoticesView))
)]
#[put("/v1/me/notices")]
pub(super) async fn set_notices(
    who: Authorized<WriteSelf>,
    notices: Data<NoticeSettings>,
    Json(body): Json<SetNotices>,
) -> ApiResult<web::Json<NoticesView>> {
    let asked = MailSettings { token_expiring: body.token_expiring, token_new_address: body.token_new_address };
    let settings = notices.set(&who.caller, asked, &who.origin).await.map_err(failing::person)?;
    Ok(web::Json(settings.into()))
}
