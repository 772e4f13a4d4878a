//! `GET /v1/me/notices`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::notices::{MailSettings, NoticeSettings};
use serde::Serialize;
use utoipa::ToSchema;

use crate::surface::permission::ReadSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// The mail about tokens that you get. Mail about leaked and reused tokens cannot be switched off.
#[derive(Serialize, ToSchema)]
#[schema(as = Notices)]
pub(super) struct NoticesView {
    /// Whether you get mail 30, 7 and 1 days before a token ends.
    token_expiring: bool,
    /// Whether you get mail when a token is used from an address that it had not been used from before.
    token_new_address: bool,
}

impl From<MailSettings> for NoticesView {
    fn from(settings: MailSettings) -> Self {
        Self { token_expiring: settings.token_expiring, token_new_address: settings.token_new_address }
    }
}

/// Get the mail about tokens that you get.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:read"]), ("api_key" = ["user:read"])),
    responses((status = 200, body = NoticesView))
)]
#[get("/v1/me/notices")]
pub(super) async fn get_notices(
    who: Authorized<ReadSelf>,
    notices: Data<NoticeSettings>,
) -> ApiResult<web::Json<NoticesView>> {
    let settings = notices.get(&who.caller).await.map_err(failing::person)?;
    Ok(web::Json(settings.into()))
}
