//! `GET /v1/me`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::people::People;

use super::view::MeView;
use crate::surface::permission::ReadSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Get your account.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:read"]), ("api_key" = ["user:read"])),
    responses((status = 200, body = MeView))
)]
#[get("/v1/me")]
pub(super) async fn get_me(
    who: Authorized<ReadSelf>,
    people: Data<People>,
    context: Data<Context>,
) -> ApiResult<web::Json<MeView>> {
    let me = people.me(&who.caller).await.map_err(failing::person)?;
    Ok(web::Json(MeView::new(me, &who.caller, &context)))
}
